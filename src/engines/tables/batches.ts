import type { Database } from 'bun:sqlite'
import type { Fault } from '../../kernel/index.ts'
import { isConstraint, toTablesFault } from './faults.ts'
import type { BatchResult, Statement } from './port.ts'
import type { RunStatement, StatementResult } from './statements.ts'

/** What became of a batch: an answer, or a fault for its caller. */
export type BatchOutcome = BatchResult | { readonly fault: Fault }

/**
 * Runs batches that came together. They share one transaction and so one fsync, each inside a savepoint, so that one
 * that fails undoes itself only. Should the shared transaction be lost (a deferred constraint fails at the commit, the
 * disk is full), each runs again in a transaction of its own: one caller's mistake is never another's.
 */
export function runBatches(
  database: Database,
  run: RunStatement,
  batches: readonly (readonly Statement[])[],
): BatchOutcome[] {
  if (batches.length > 1) {
    const shared = runShared(database, run, batches)
    if (shared) return shared
  }
  return batches.map((batch) => runAlone(database, run, batch))
}

function runShared(
  database: Database,
  run: RunStatement,
  batches: readonly (readonly Statement[])[],
): BatchOutcome[] | null {
  try {
    database.run('BEGIN IMMEDIATE')
    const outcomes = batches.map((batch): BatchOutcome => {
      database.run('SAVEPOINT batch')
      const outcome = runStatements(run, batch)
      if (!database.inTransaction) throw new Error('the shared transaction was lost')
      if ('fault' in outcome || !outcome.ok) database.run('ROLLBACK TO batch')
      database.run('RELEASE batch')
      return outcome
    })
    database.run('COMMIT')
    return outcomes
  } catch {
    rollBack(database)
    return null
  }
}

function runAlone(database: Database, run: RunStatement, batch: readonly Statement[]): BatchOutcome {
  try {
    database.run('BEGIN IMMEDIATE')
    const outcome = runStatements(run, batch)
    if ('fault' in outcome || !outcome.ok) rollBack(database)
    else database.run('COMMIT')
    return outcome
  } catch (error) {
    rollBack(database)
    return toOutcome(error, batch.length - 1)
  }
}

function runStatements(run: RunStatement, batch: readonly Statement[]): BatchOutcome {
  const results: StatementResult[] = []
  for (const [index, statement] of batch.entries()) {
    try {
      const result = run(statement)
      const rows = Math.max(result.changes, result.rows.length)
      if (statement.expectRows !== undefined && rows !== statement.expectRows)
        return {
          ok: false,
          code: 'unexpected-rows',
          statement: index,
          message: `expected ${statement.expectRows} rows, got ${rows}, in: ${statement.sql}`,
        }
      results.push(result)
    } catch (error) {
      return toOutcome(error, index)
    }
  }
  return { ok: true, results }
}

function toOutcome(error: unknown, statement: number): BatchOutcome {
  if (isConstraint(error)) return { ok: false, code: 'constraint', statement, message: (error as Error).message }
  return { fault: toTablesFault(error, `statement ${statement} of a batch failed and the batch was undone`) }
}

function rollBack(database: Database): void {
  if (database.inTransaction) database.run('ROLLBACK')
}
