import { Database } from 'bun:sqlite'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'

/**
 * Takes a directory for this process alone. The lock is SQLite's, held by an open transaction on an empty database: the
 * kernel frees it when the process ends in whatever way, kill -9 included, and no pid can be mistaken for another's.
 * (Neither Bun nor Node has `flock`.) Fault `log-locked` when somebody else has it. Returns what lets go of it.
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const database = new Database(join(directory, 'lock'), { create: true })
  try {
    database.run('PRAGMA busy_timeout = 0')
    database.run('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw new Fault(
      'log-locked',
      `${directory} is in use by another process, expected to own it alone; stop that platform or choose another home`,
      { cause: error, detail: { directory } },
    )
  }
  return () => database.close()
}
