import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CloudEvent, TRIMMED_TOPICS } from '../contracts/index.ts'
import { type LogPort, openEmbeddedLog } from '../engines/log/index.ts'
import { type Migration, openSqliteTables, type TablesPort } from '../engines/tables/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../kernel/index.ts'
import { decodeEvent, toEvent } from './event.ts'
import { hubMigrations } from './migrations.ts'

/** For tests: the real embedded engines in a directory that goes with them. */
export type TestEngines = { readonly log: LogPort; readonly tables: TablesPort; close(): Promise<void> }

export async function openTestEngines(migrations: readonly Migration[] = []): Promise<TestEngines> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-hub-'))
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    trimmedTopics: TRIMMED_TOPICS,
  })
  const tables = openSqliteTables({
    path: join(directory, 'tables.sqlite'),
    migrations: [...hubMigrations, ...migrations],
  })
  return {
    log,
    tables,
    async close() {
      await log.close()
      await tables.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** The `n`th title id. */
export function titleIdOf(n: number): string {
  return n
    .toString(32)
    .padStart(16, '0')
    .replaceAll('i', 'w')
    .replaceAll('l', 'x')
    .replaceAll('o', 'y')
    .replaceAll('u', 'z')
}

/** An event about title `title` that carries a number. */
export function numbered(title: number, n: number, id?: string): CloudEvent<'tentpole.title.progress.v1'> {
  const titleId = titleIdOf(title)
  const data = { titleId, percent: 0, stages: [{ name: 'n', done: n, total: n }] }
  return toEvent('tentpole.title.progress.v1', titleId, data, id === undefined ? { source: 't' } : { source: 't', id })
}

export function numberOf(event: CloudEvent): number {
  return event.type === 'tentpole.title.progress.v1' ? (event.data.stages[0]?.done ?? -1) : -1
}

/** Everything on a topic. */
export async function readEvents(log: LogPort, topic: string): Promise<CloudEvent[]> {
  const events: CloudEvent[] = []
  for (let from = (await log.bounds(topic))[0]?.first ?? 0; ; ) {
    const records = await log.read({ topic, from, max: 1_000 })
    const last = records.at(-1)
    if (!last) return events
    events.push(...records.map(decodeEvent))
    from = last.offset + 1
  }
}

/** Waits for a condition, with a bound. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number = 5_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
