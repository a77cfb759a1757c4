import type { Database, Statement as SqliteStatement } from 'bun:sqlite'
import { Fault } from '../../kernel/index.ts'
import type { Row, SqlValue, Statement } from './port.ts'

const PREPARED_MAX = 256
const ALLOWED = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'WITH', 'VALUES'])
/** String and identifier literals and comments, so that what is left can be looked at word by word. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g

export type StatementResult = { readonly changes: number; readonly rows: readonly Row[] }
export type RunStatement = (statement: Statement) => StatementResult

type Prepared = SqliteStatement<Row, SqlValue[]>

/** Runs statements on a connection, each text prepared once. Throws what SQLite throws, or `sql-invalid`. */
export function createStatementRunner(database: Database): RunStatement {
  const prepared = new Map<string, Prepared>()

  const prepare = (sql: string): Prepared => {
    const known = prepared.get(sql)
    if (known) {
      prepared.delete(sql)
      prepared.set(sql, known)
      return known
    }
    checkSql(sql)
    const statement = database.prepare<Row, SqlValue[]>(sql)
    prepared.set(sql, statement)
    const [oldest] = prepared
    if (prepared.size > PREPARED_MAX && oldest) {
      prepared.delete(oldest[0])
      oldest[1].finalize()
    }
    return statement
  }

  return ({ sql, parameters = [] }) => {
    const statement = prepare(sql)
    if (statement.paramsCount !== parameters.length)
      throw new Fault(
        'sql-invalid',
        `expected ${statement.paramsCount} parameters, got ${parameters.length}, in: ${sql}`,
        { detail: { sql } },
      )
    if (statement.columnNames.length === 0) return { changes: statement.run(...parameters).changes, rows: [] }
    const rows = statement.all(...parameters)
    return { changes: isSelect(sql) ? 0 : rows.length, rows }
  }
}

/**
 * Only one statement that reads or writes rows: transactions are the adapter's, schema changes the migrations', and a
 * second statement behind a `;` would be left out without a word.
 */
function checkSql(sql: string): void {
  const bare = sql.replaceAll(QUOTED, (quoted) => (quoted.startsWith("'") || quoted.startsWith('"') ? "''" : ' '))
  const verb = /^\s*([A-Za-z]+)/.exec(bare)?.[1]?.toUpperCase() ?? ''
  const refuse = (what: string): never => {
    throw new Fault('sql-invalid', `${what}, in: ${sql}`, { detail: { sql } })
  }
  if (!ALLOWED.has(verb)) refuse(`expected one of ${[...ALLOWED].join(', ')}, got ${JSON.stringify(verb)}`)
  if (/;\s*\S/.test(bare)) refuse('expected one statement, got several')
  if (/\b(?:OR|CONFLICT)\s+ROLLBACK\b/i.test(bare)) refuse('expected no conflict clause that ends the transaction')
}

const isSelect = (sql: string): boolean => /^\s*(?:SELECT|VALUES)\b/i.test(sql)
