import { Database } from 'bun:sqlite'
import { chmod } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, Fault, systemClock } from '../../kernel/index.ts'

const RETRY_MS = 20
const WAIT_MS = 10_000

/**
 * One process at a time changes a file of keys: what it reads is what it replaces, or a key that was dropped meanwhile would be
 * brought back. The lock is SQLite's, on an empty file beside it that stays: the kernel frees it however its holder ends, and
 * no pid can be mistaken for another's. Fault `path-keys-locked` when somebody else has it for too long.
 */
export async function withPathKeysLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly waitMs?: number; readonly clock?: Pick<Clock, 'elapsedMs'> } = {},
): Promise<T> {
  const { waitMs = WAIT_MS, clock = systemClock } = options
  const deadlineMs = clock.elapsedMs() + waitMs
  for (;;) {
    const lock = tryLock(`${path}.lock`)
    if (lock !== null) {
      try {
        await chmod(`${path}.lock`, 0o600)
        return await work()
      } finally {
        lock.close()
      }
    }
    if (clock.elapsedMs() >= deadlineMs)
      throw new Fault(
        'path-keys-locked',
        `${path} is being changed by another process for longer than ${waitMs} ms, expected it to be done; see who has ${path}.lock open, then ask again: nothing has changed`,
      )
    await sleep(RETRY_MS)
  }
}

/** Null when somebody else has it. */
function tryLock(path: string): Database | null {
  const database = new Database(path, { create: true })
  try {
    database.run('PRAGMA busy_timeout = 0')
    database.run('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return null
    throw error
  }
}
