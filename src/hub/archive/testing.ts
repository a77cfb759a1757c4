import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedLog, type LogAppend, type LogRecord, openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, type Limits, silentLogger, systemClock } from '../../kernel/index.ts'
import { hubMigrations } from '../migrations.ts'
import { until } from '../testing.ts'
import { createArchiver } from './archiver.ts'
import type { ArchiverOptions } from './archiver-options.ts'
import { type ArchiveRead, type ArchiveReader, createArchiveReader } from './reader.ts'

/** For tests: engines whose segments and archive objects are small, in a directory of their own. */
export type ArchiveBench = {
  readonly directory: string
  readonly log: EmbeddedLog
  readonly objects: ObjectsPort
  readonly tables: TablesPort
  readonly limits: Limits
  readonly reader: ArchiveReader
  options(more?: Partial<ArchiverOptions>): ArchiverOptions
  /** Runs an archiver until the topic is archived to its end. */
  archive(topic: string, more?: Partial<ArchiverOptions>): Promise<void>
  close(): Promise<void>
}

export const SMALL_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  logSegmentBytes: 2_000,
  logRetentionBytes: 6_000,
  hubArchiveBytesMin: 4_000,
  hubArchiveBlockBytes: 1_000,
  hubArchiveAgeMs: 0,
  hubArchivePollMs: 5,
  hubArchiveLeaseMs: 60,
}

export async function openArchiveBench(limits: Limits = SMALL_LIMITS): Promise<ArchiveBench> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-archive-'))
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits,
    logger: silentLogger,
    trimmedTopics: [],
  })
  const objects = createDirectoryObjects({ root: join(directory, 'objects') })
  const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: hubMigrations })
  const options = (more: Partial<ArchiverOptions> = {}): ArchiverOptions => ({
    log,
    objects,
    tables,
    topics: ['titles'],
    trimmedTopics: [],
    owner: 'test',
    limits,
    logger: silentLogger,
    clock: systemClock,
    ...more,
  })
  return {
    directory,
    log,
    objects,
    tables,
    limits,
    reader: createArchiveReader({ log, objects, limits, logger: silentLogger }),
    options,
    async archive(topic, more = {}) {
      const archiver = createArchiver(options({ topics: [topic], ...more }))
      try {
        await until(`${topic} is archived`, async () => (await archivedTo(tables, topic)) === (await endOf(log, topic)))
      } finally {
        await archiver.close()
      }
    },
    async close() {
      await log.close()
      await tables.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const endOf = async (log: EmbeddedLog, topic: string): Promise<number> => (await log.bounds(topic))[0]?.end ?? 0

async function archivedTo(tables: TablesPort, topic: string): Promise<number> {
  const [row] = await tables.query({ sql: 'SELECT next_offset FROM hub_archive WHERE topic = ?', parameters: [topic] })
  return Number(row?.['next_offset'] ?? -1)
}

/** The `n`th record of a test's topic: some without headers, some empty, some large. */
export function recordOf(n: number): LogAppend {
  const value = Buffer.from(`${n} `.repeat(n % 7 === 0 ? 0 : 5 + ((n * 37) % 60)))
  return n % 3 === 0
    ? { key: `k${n % 5}`, value }
    : { key: `schlüssel ${n % 5}`, value, headers: { n: String(n), '': 'ä' } }
}

export async function appendRecords(log: EmbeddedLog, topic: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 10) {
    const records = Array.from({ length: Math.min(10, to - at) }, (_, index) => recordOf(at + index))
    await log.append(topic, records)
  }
}

/** What a record must be, by its offset, but for its time. */
export function plain({ offset, key, headers, value }: LogRecord): object {
  return { offset, key, headers: { ...headers }, value: Buffer.from(value).toString() }
}
export function expected(offset: number): object {
  const { key, headers = {}, value } = recordOf(offset)
  return { offset, key, headers, value: Buffer.from(value).toString() }
}

export async function readAll(reader: ArchiveReader, wanted: ArchiveRead): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const batch of reader.read(wanted)) records.push(...batch)
  return records
}
