import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogPort } from '../../engines/log/index.ts'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { type Clock, DEFAULT_LIMITS, type Limits, silentLogger } from '../../kernel/index.ts'
import { hubMigrations } from '../migrations.ts'
import { findRecordRefs } from './search-log.ts'

/** For tests: the real embedded engines in one directory, which outlives those who opened them until `remove`. */
export type ClaimBed = {
  readonly directory: string
  readonly log: LogPort
  readonly tables: TablesPort
  readonly objects: ObjectsPort
  close(): Promise<void>
}

export type ManualClock = Clock & { advance(ms: number): void }

export const TEST_LIMITS: Limits = { ...DEFAULT_LIMITS, hubClaimGraceMs: 200_000 }

export function newDirectory(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-claims-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

export async function openClaimBed(directory: string, limits: Limits = TEST_LIMITS): Promise<ClaimBed> {
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits,
    logger: silentLogger,
    trimmedTopics: ['trimmed'],
  })
  const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: hubMigrations })
  const objects = createDirectoryObjects({ root: join(directory, 'objects') })
  const close = async (): Promise<void> => {
    await log.close()
    await tables.close()
  }
  return { directory, log, tables, objects, close }
}

export function createManualClock(): ManualClock {
  let ms = 1_000
  return {
    nowMs: () => Date.parse('2026-03-01T00:00:00Z') + ms,
    elapsedMs: () => ms,
    advance(by) {
      ms += by
    },
  }
}

/** Bytes that differ from place to place, in pieces. */
export function streamOf(bytes: Uint8Array, chunkBytes: number = 64 * 1024): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= bytes.byteLength) return controller.close()
        controller.enqueue(bytes.slice(at, at + chunkBytes))
        at += chunkBytes
      },
    },
    { highWaterMark: 0 },
  )
}

export async function drain(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function claimStates(tables: TablesPort): Promise<Record<string, string>> {
  const rows = await tables.query({ sql: 'SELECT ref, state FROM hub_claims' })
  return Object.fromEntries(rows.map((row) => [String(row['ref']), String(row['state'])]))
}

/** All references on these topics, and which of their objects are not there: must be none, ever. */
export async function findDangling(
  { log, objects }: Pick<ClaimBed, 'log' | 'objects'>,
  topics: readonly string[],
): Promise<{ readonly refs: readonly string[]; readonly dangling: readonly string[] }> {
  const refs = new Set<string>()
  for (const topic of topics) {
    for (let from = (await log.bounds(topic))[0]?.first ?? 0; ; ) {
      const records = await log.read({ topic, from, max: 500 })
      const last = records.at(-1)
      if (!last) break
      for (const ref of records.flatMap(findRecordRefs)) refs.add(ref)
      from = last.offset + 1
    }
  }
  const dangling: string[] = []
  for (const ref of refs) if (!(await objects.head(ref))) dangling.push(ref)
  return { refs: [...refs], dangling }
}
