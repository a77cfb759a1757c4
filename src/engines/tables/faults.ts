import { describeError, Fault } from '../../kernel/index.ts'

/** SQLite's extended name of an error (`SQLITE_CONSTRAINT_UNIQUE`), or `''`. */
export function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export const isConstraint = (error: unknown): boolean => sqliteCode(error).startsWith('SQLITE_CONSTRAINT')

/** What SQLite threw as one of the port's faults: `sql-invalid`, `tables-full`, `tables-damaged`, `tables-unavailable`. */
export function toTablesFault(error: unknown, what: string): Fault {
  if (error instanceof Fault) return error
  const code = sqliteCode(error)
  const [name, next] = FAULTS.find(([prefix]) => code.startsWith(prefix))?.[1] ?? UNAVAILABLE
  return new Fault(name, `${what}: ${describeError(error)}; ${next}`, { cause: error, detail: { sqlite: code } })
}

const UNAVAILABLE = ['tables-unavailable', 'check the disk that holds the tables'] as const
const FAULTS: readonly (readonly [string, readonly [string, string]])[] = [
  ['SQLITE_FULL', ['tables-full', 'nothing was changed; free space and retry']],
  ['SQLITE_CORRUPT', ['tables-damaged', 'restore the file from a backup']],
  ['SQLITE_NOTADB', ['tables-damaged', 'restore the file from a backup']],
  ['SQLITE_READONLY', ['sql-invalid', 'a query must not write: use a batch']],
  ['SQLITE_ERROR', ['sql-invalid', 'correct the statement']],
  ['SQLITE_MISMATCH', ['sql-invalid', 'correct the parameter']],
  ['SQLITE_RANGE', ['sql-invalid', 'correct the parameters']],
  ['SQLITE_TOOBIG', ['sql-invalid', 'put large values into objects']],
]
