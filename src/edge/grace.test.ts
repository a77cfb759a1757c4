import { afterEach, expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedLog } from '../engines/log/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { createPublisher } from '../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../kernel/index.ts'
import { type Bed, OTHER_TITLE, openBed, TITLE, until } from './testing/bed.ts'

/** Above the log's heartbeat, which comes twice a second. */
const GRACE_MS = 1_300
const LONG_MS = 8_000

type Store = {
  readonly pid: number
  kill(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  readonly ended: Promise<unknown>
}

let bed: Bed
let store: Store
let directory = ''
afterEach(async () => {
  store.kill('SIGCONT')
  await bed.close()
  store.kill('SIGKILL')
  await store.ended
})

const startStore = async (): Promise<Store> => {
  const script = join(import.meta.dir, 'testing', 'store-process.ts')
  const child = Bun.spawn([process.execPath, '--no-install', script, directory], { stdout: 'pipe' })
  const first = await child.stdout.getReader().read()
  expect(Buffer.from(first.value ?? []).toString()).toContain('ready')
  return { pid: child.pid, kill: (signal) => child.kill(signal), ended: child.exited }
}

const open = async (): Promise<void> => {
  bed = await openBed({
    limits: { edgeGraceMs: GRACE_MS },
    handler: () =>
      new Response(null, {
        headers: { 'x-tentpole-object': 'segment', 'cache-control': 'public, max-age=31536000, immutable' },
      }),
    openLog: async (path) => {
      directory = path
      mkdirSync(path, { recursive: true })
      store = await startStore()
      const client = createStoreClient({
        path: join(path, 'store.sock'),
        limits: { ...DEFAULT_LIMITS, logAppendTimeoutMs: 1_000 },
        logger: silentLogger,
      })
      return { ...client.log, close: () => client.close() }
    },
  })
  await bed.objects.put('segment', new Uint8Array(100))
}
const statusOf = async (titleId: string): Promise<number> =>
  (await fetch(bed.url(`/v/${bed.token(titleId)}/${titleId}/v240/0.m4s`))).status

test('when the log falls silent, protected titles are refused, cached ones too, until it is heard again', async () => {
  await open()
  expect(await statusOf(TITLE)).toBe(200)
  store.kill('SIGSTOP')
  const startedMs = performance.now()
  await until('the title to be refused', async () => (await statusOf(TITLE)) === 503, LONG_MS)
  expect(performance.now() - startedMs).toBeLessThan(GRACE_MS + 1_500)
  const refused = await fetch(bed.url(`/v/${bed.token(TITLE)}/${TITLE}/v240/0.m4s`))
  expect([refused.headers.get('retry-after'), ((await refused.json()) as { code: string }).code]).toEqual([
    '1',
    'log-silent',
  ])
  expect((await fetch(bed.url(`/art/${TITLE}/poster.jpg`))).status).toBe(200)
  expect((await fetch(bed.url('/v1/home'))).status).toBe(200)
  const health = await fetch(bed.url('/healthz'))
  expect([health.status, JSON.stringify(await health.json())]).toEqual([
    503,
    expect.stringContaining('the log is silent'),
  ])
  store.kill('SIGCONT')
  await until('the title to be served again', async () => (await statusOf(TITLE)) === 200, LONG_MS)
}, 20_000)

test('what was withdrawn while the edge was deaf is never served again', async () => {
  await open()
  expect([await statusOf(TITLE), await statusOf(OTHER_TITLE)]).toEqual([200, 200])
  store.kill('SIGKILL')
  await store.ended
  await until('titles to be refused', async () => (await statusOf(TITLE)) === 503, LONG_MS)
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    trimmedTopics: [],
  })
  const data = { titleId: TITLE, reason: 'while nobody heard' }
  await createPublisher({ log, source: 'test' }).publish('tentpole.title.withdrawn.v1', TITLE, data)
  await log.close()
  store = await startStore()
  const seen = new Set<number>()
  await until(
    'the edge to know',
    async () => {
      const status = await statusOf(TITLE)
      seen.add(status)
      return status === 410
    },
    LONG_MS,
  )
  expect([...seen].sort()).toEqual(seen.has(503) ? [410, 503] : [410])
  expect(await statusOf(OTHER_TITLE)).toBe(200)
}, 20_000)
