import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { type CloudEvent, type Rung, TRIMMED_TOPICS } from '../../contracts/index.ts'
import { type LogPort, openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { createPublisher, createRelay, decodeEvent, hubMigrations, type Publisher } from '../../hub/index.ts'
import { createShortId, DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { createPlanner } from './planner.ts'
import { mediaMigrations } from './schema.ts'

/** For this room's tests only: clips made by ffmpeg, and a platform of real engines, in directories that go away. */

const execute = promisify(execFile)

export type Clips = {
  readonly directory: string
  /** Runs ffmpeg with the output file as its last argument, and returns that file's path. */
  make(name: string, ...options: readonly string[]): Promise<string>
  /** Runs ffmpeg or ffprobe and returns what it printed on both outputs. */
  run(program: 'ffmpeg' | 'ffprobe', ...options: readonly string[]): Promise<{ stdout: string; stderr: string }>
  remove(): Promise<void>
}

export async function createClips(): Promise<Clips> {
  const directory = await mkdtemp(join(tmpdir(), 'tentpole-media-'))
  const run: Clips['run'] = (program, ...options) =>
    execute(program, [...options], { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' })
  return {
    directory,
    run,
    async make(name, ...options) {
      const path = join(directory, name)
      await run('ffmpeg', '-v', 'error', '-nostdin', '-y', ...options, path)
      return path
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Arguments for a moving picture with a running number, and a tone. */
export function testPicture(options: { rate?: string; size?: string; seconds: number }): string[] {
  const { rate = '25', size = '320x180', seconds } = options
  return ['-f', 'lavfi', '-i', `testsrc2=rate=${rate}:size=${size}:duration=${seconds}`]
}

export function testTone(seconds: number, channels = 1): string[] {
  const layout = { 1: 'mono', 2: 'stereo', 6: '5.1' }[channels] ?? 'mono'
  return [
    '-f',
    'lavfi',
    '-i',
    `sine=frequency=440:sample_rate=48000:duration=${seconds},aformat=channel_layouts=${layout}`,
  ]
}

export const FAST: readonly string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50']

export const TEST_LADDER: readonly Rung[] = [
  { height: 144, bitrateBps: 200_000 },
  { height: 180, bitrateBps: 300_000 },
]

/** The real embedded engines, a relay and a planner, and everything that was said of titles. */
export type Platform = {
  readonly directory: string
  readonly log: LogPort
  readonly tables: TablesPort
  readonly objects: ObjectsPort
  readonly events: readonly CloudEvent[]
  /** The source is put in place and its upload announced; resolves with the title's id. */
  upload(path: string, sidecars?: readonly Sidecar[]): Promise<string>
  publish: Publisher['publish']
  /** Resolves once `check` says so; rejects after `timeoutMs`, naming what was waited for. */
  until(what: string, check: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>
  of(titleId: string, type: string): readonly CloudEvent[]
  close(): Promise<void>
}

export type Sidecar = { readonly fileName: string; readonly bytes: Uint8Array }

export async function createPlatform(): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'tentpole-media-platform-'))
  const logger = silentLogger
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits: DEFAULT_LIMITS,
    logger,
    trimmedTopics: TRIMMED_TOPICS,
  })
  const tables = openSqliteTables({
    path: join(directory, 'tables.sqlite'),
    migrations: [...hubMigrations, ...mediaMigrations],
  })
  const objects = createDirectoryObjects({ root: join(directory, 'objects') })
  const relay = createRelay({ tables, log, owner: 'test', logger })
  const planner = createPlanner({ log, tables, ladder: TEST_LADDER, logger })
  const { publish } = createPublisher({ log, source: 'test' })
  const events: CloudEvent[] = []
  const listening = log.subscribe({
    topic: 'titles',
    start: 'beginning',
    onRecords: (records) => {
      events.push(...records.map((record) => decodeEvent(record)))
    },
  })
  return {
    directory,
    log,
    tables,
    objects,
    events,
    publish,
    of: (titleId, type) =>
      events.filter((event) => event.subject === titleId && event.type === `tentpole.title.${type}.v1`),
    async upload(path, sidecars = []) {
      const titleId = createShortId()
      const objectKey = `titles/${titleId}/source/film`
      const { sizeBytes } = await objects.putFile(objectKey, path)
      const captions = await Promise.all(
        sidecars.map(async ({ fileName, bytes }, at) => {
          const key = `titles/${titleId}/source/${at}`
          await objects.put(key, bytes)
          return { objectKey: key, fileName, language: 'en', label: 'English' }
        }),
      )
      await publish('tentpole.asset.uploaded.v1', titleId, {
        titleId,
        metadata: { name: basename(path), createdAtMs: 1 },
        source: { objectKey, fileName: basename(path), bytes: sizeBytes },
        captions,
      })
      return titleId
    },
    async until(what, check, timeoutMs = 60_000) {
      const deadlineMs = performance.now() + timeoutMs
      while (!(await check())) {
        if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async close() {
      await planner.close()
      await relay.close()
      await listening.close()
      await log.close()
      await tables.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
