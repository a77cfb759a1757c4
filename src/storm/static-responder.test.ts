import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import {
  homeResponseSchema,
  playbackResponseSchema,
  sessionResponseSchema,
  titleResponseSchema,
} from '../contracts/index.ts'
import { faultCode } from '../kernel/index.ts'
import { parseMainPlaylist, parseMediaPlaylist } from './http/playlists.ts'
import {
  type Responder,
  type ResponderOptions,
  spawnResponder,
  stallLeftMs,
  startResponder,
  toTitleId,
} from './static-responder.ts'

const OPTIONS: ResponderOptions = { titles: 30, segmentMs: 2_000, filmMs: 61_000, segmentBytes: 5_000 }
let responder: Responder | null = null
afterEach(async () => {
  await responder?.stop()
  responder = null
})

function start(options: ResponderOptions): (path: string, body?: unknown) => Promise<Response> {
  const started = startResponder(options)
  responder = started
  return (path, body) =>
    fetch(
      `http://127.0.0.1:${started.port}${path}`,
      body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    )
}

test.each([
  ['static', OPTIONS],
  ['one that stalls', { ...OPTIONS, stallEveryMs: 20, stallForMs: 10 }],
])('the whole way of a viewer, as the contracts say: %s', async (_, options) => {
  const ask = start(options)
  const session = sessionResponseSchema.parse(await (await ask('/v1/session', {})).json())
  expect(sessionResponseSchema.parse(await (await ask('/v1/session', {})).json()).token).not.toBe(session.token)
  const home = homeResponseSchema.parse(await (await ask('/v1/home')).json())
  const id = home.hero?.id ?? ''
  expect(id).toBe(toTitleId(0))
  expect(titleResponseSchema.parse(await (await ask(`/v1/titles/${id}`)).json()).heights).toEqual([240, 480, 720])
  expect((await (await ask(home.hero?.posterUrl ?? '')).bytes()).byteLength).toBe(20_000)

  const playback = playbackResponseSchema.parse(await (await ask('/v1/playback', { titleId: id })).json())
  const directory = playback.manifestUrl.slice(0, playback.manifestUrl.lastIndexOf('/') + 1)
  const main = parseMainPlaylist(await (await ask(playback.manifestUrl)).text())
  if (!main.ok) throw new Error(main.why)
  for (const file of [...main.playlist.variants.map((variant) => variant.file), main.playlist.audioFile ?? '']) {
    const media = parseMediaPlaylist(await (await ask(directory + file)).text(), file)
    if (!media.ok) throw new Error(media.why)
    expect(media.playlist.endsMs).toHaveLength(31)
    expect(media.playlist.endsMs.at(-1)).toBe(61_000)
    expect((await ask(directory + media.playlist.initFile)).status).toBe(200)
    const segment = await ask(directory + media.playlist.segmentFiles.at(-1))
    expect((await segment.bytes()).byteLength).toBe(5_000)
    expect(segment.headers.get('cache-status')).toContain('hit')
  }

  const heartbeat = await ask(`/v1/playback/${playback.sessionId}/heartbeat`, { token: 'x' })
  expect(await heartbeat.json()).toMatchObject({ token: expect.any(String), heartbeatMs: expect.any(Number) })
  const signals = await ask('/v1/signals', { signals: [{ sessionId: 'a' }, { sessionId: 'b' }] })
  expect(signals.status).toBe(202)
  expect(await signals.json()).toEqual({ accepted: 2 })
})

test('what there is not', async () => {
  const ask = start(OPTIONS)
  for (const path of ['/nowhere', '/v1/titles/zzzz', `/v/token/${toTitleId(30)}/main.m3u8`]) {
    expect((await ask(path)).status).toBe(404)
  }
  const refused = await ask('/v1/playback', { titleId: toTitleId(30) })
  expect(await refused.json()).toMatchObject({ code: 'title-not-found' })
})

test.each([
  [0, 0],
  [8_999, 0],
  [9_000, 1_000],
  [9_400, 600],
  [9_999, 1],
  [10_000, 0],
  [19_500, 500],
])('at %p ms a stall of 1 s every 10 s lasts %p ms more', (elapsedMs, leftMs) => {
  expect(stallLeftMs({ everyMs: 10_000, forMs: 1_000 }, elapsedMs)).toBe(leftMs)
})

test('all that is asked in a stall is answered when it ends', async () => {
  const startedMs = performance.now()
  const ask = start({ ...OPTIONS, stallEveryMs: 400, stallForMs: 390 })
  const answeredMs = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      // The first 10 ms answer at once; later ones, all within the stall, wait for its end.
      await Bun.sleep(30 + index * 5)
      await (await ask('/v1/home')).bytes()
      return performance.now() - startedMs
    }),
  )
  for (const ms of answeredMs) expect(ms).toBeGreaterThanOrEqual(395)
})

test('options that make no sense are refused, all at once', () => {
  const senseless = { titles: 0, segmentMs: 2_000, filmMs: Number.NaN, segmentBytes: 1, stallEveryMs: 5 }
  expect(() => startResponder(senseless)).toThrow(/titles.*filmMs.*both or neither/)
  expect(() => startResponder({ ...OPTIONS, stallEveryMs: 5, stallForMs: 5 })).toThrow(/less than stallEveryMs/)
})

const isThere = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/v1/home`, { keepalive: false }).then(
    (response) => response.ok,
    () => false,
  )

test('as a process of its own it answers until it is stopped', async () => {
  const { port, stop } = await spawnResponder(OPTIONS)
  expect(await isThere(port)).toBe(true)
  await stop()
  expect(await isThere(port)).toBe(false)
})

test('one that cannot start is told', async () => {
  const failure = await spawnResponder({ ...OPTIONS, titles: 0 }).catch((error: unknown) => error)
  expect(faultCode(failure)).toBe('responder-not-started')
})

test('it goes when whoever started it is killed', async () => {
  const program = `
    import { spawnResponder } from ${JSON.stringify(join(import.meta.dir, 'static-responder.ts'))}
    console.log((await spawnResponder(${JSON.stringify(OPTIONS)})).port)
    setInterval(() => Bun.gc(true), 10)`
  const parent = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' })
  const { value } = await parent.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value))
  // Not sooner: it lives as long as its parent does, whatever the collector finds.
  for (let look = 0; look < 20; look++) {
    expect(await isThere(port)).toBe(true)
    await Bun.sleep(10)
  }
  parent.kill('SIGKILL')
  await parent.exited
  const deadline = performance.now() + 5_000
  while ((await isThere(port)) && performance.now() < deadline) await Bun.sleep(10)
  expect(await isThere(port)).toBe(false)
})
