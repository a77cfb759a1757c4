import { Database } from 'bun:sqlite'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault } from '../../kernel/index.ts'
import { type BatchOutcome, runBatches } from './batches.ts'
import { toTablesFault } from './faults.ts'
import { migrate } from './migrate.ts'
import type { BatchResult, Migration, Statement, TablesPort } from './port.ts'
import { createStatementRunner } from './statements.ts'

/** Batches that share one transaction at most: they hold the event loop while they run. */
const SHARED_MAX = 256
const WAITING_MAX = 16_384
/** A larger file is not checked when it is opened. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024

type Waiting = {
  readonly statements: readonly Statement[]
  readonly notify: readonly string[]
  readonly resolve: (result: BatchResult) => void
  readonly reject: (fault: Fault) => void
}

/**
 * Tables in one SQLite file (WAL, `synchronous=FULL`), owned by this process. Batches called in one turn of the event
 * loop share an fsync. Queries run on a second, read-only connection, so that SQLite itself refuses one that writes.
 *
 * At opening, `quick_check` runs on files up to 64 MiB (some 50 ms there): it finds damaged pages before anything is
 * built on them. A larger file would take seconds in which nobody is served; damage met later is a fault of the
 * statement that meets it. Faults: `tables-damaged`, `tables-unavailable`, `migration-changed`.
 */
export function openSqliteTables(options: { path: string; migrations: readonly Migration[] }): TablesPort {
  const { path, migrations } = options
  const database = openDatabase(path, migrations)
  const reader = new Database(path, { readonly: true })
  const run = createStatementRunner(database)
  const query = createStatementRunner(reader)
  const listeners = new Map<string, Set<() => void>>()
  const waiting: Waiting[] = []
  let scheduled = false
  let closed = false

  const notify = (channels: ReadonlySet<string>): void => {
    for (const channel of channels) for (const listener of listeners.get(channel) ?? []) queueMicrotask(listener)
  }
  const settle = (one: Waiting, outcome: BatchOutcome, told: Set<string>): void => {
    if ('fault' in outcome) {
      one.reject(outcome.fault)
      return
    }
    if (outcome.ok) for (const channel of one.notify) told.add(channel)
    one.resolve(outcome)
  }
  const flush = (): void => {
    scheduled = false
    const taken = waiting.splice(0, SHARED_MAX)
    if (waiting.length > 0) schedule()
    const told = new Set<string>()
    const outcomes = runBatches(
      database,
      run,
      taken.map(({ statements }) => statements),
    )
    for (const [index, one] of taken.entries()) settle(one, outcomes[index] as BatchOutcome, told)
    notify(told)
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(flush)
  }
  const toClosed = (): Fault => new Fault('tables-unavailable', `the tables in ${path} are closed`)

  return {
    async query(statement) {
      if (closed) throw toClosed()
      try {
        return query(statement).rows
      } catch (error) {
        throw toTablesFault(error, `a query failed: ${statement.sql}`)
      }
    },
    batch(statements, { notify: channels = [] } = {}) {
      if (closed) return Promise.reject(toClosed())
      if (waiting.length >= WAITING_MAX)
        return Promise.reject(
          new Fault(
            'overloaded',
            `${waiting.length} batches wait for the tables, the limit is ${WAITING_MAX}; retry later`,
          ),
        )
      return new Promise((resolve, reject) => {
        waiting.push({ statements, notify: channels, resolve, reject })
        schedule()
      })
    },
    listen(channel, onNotify) {
      const known = listeners.get(channel) ?? new Set()
      listeners.set(channel, known)
      // One function may listen twice: each call gets a listener of its own.
      const listener = (): void => {
        if (known.has(listener)) onNotify()
      }
      known.add(listener)
      return () => {
        known.delete(listener)
        if (known.size === 0 && listeners.get(channel) === known) listeners.delete(channel)
      }
    },
    async close() {
      if (closed) return
      closed = true
      while (waiting.length > 0) flush()
      listeners.clear()
      reader.close()
      database.run('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
    },
  }
}

function openDatabase(path: string, migrations: readonly Migration[]): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const bytes = existsSync(path) ? statSync(path).size : 0
  let database: Database | null = null
  try {
    database = new Database(path, { create: true })
    database.run('PRAGMA journal_mode = WAL')
    database.run('PRAGMA synchronous = FULL')
    database.run('PRAGMA foreign_keys = ON')
    if (bytes > 0 && bytes <= CHECKED_BYTES_MAX) check(database, path)
    migrate(database, migrations)
    // Committed pages leave the WAL early: its end is the one place where SQLite takes damage for an unfinished commit.
    database.run('PRAGMA wal_checkpoint(TRUNCATE)')
    return database
  } catch (error) {
    database?.close()
    throw toTablesFault(error, `the tables in ${path} could not be opened`)
  }
}

function check(database: Database, path: string): void {
  const findings = database.query<{ quick_check: string }, []>('PRAGMA quick_check').all()
  const first = findings[0]?.quick_check
  if (first === 'ok') return
  throw new Fault('tables-damaged', `${path} is damaged (${first}); restore it from a backup`, { detail: { path } })
}
