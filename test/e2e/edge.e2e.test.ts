import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutOf } from '../../src/roles/layout.ts'
import { eventually, makeFilm, type Platform, startPlatform } from './platform.ts'
import { createViewer, fetchText, parseMaster, parsePlaylist, type Viewer } from './viewer.ts'

let platform: Platform
let directory: string
let titleId: string
let viewer: Viewer

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-edge-'))
  const film = await makeFilm(join(directory, 'film.mp4'), { seconds: 8 })
  platform = await startPlatform({ config: { media: { ladder: [{ height: 144, bitrateBps: 200_000 }] } } })
  const published = await platform.cli('publish', film, '--title', 'Edge', '--json')
  expect(published.exitCode).toBe(0)
  const home = await (await fetch(new URL('/v1/home', platform.watchUrl), { headers: await authorise() })).text()
  titleId = /"id":"([0-9a-z]{16})"/.exec(home)?.[1] ?? ''
  viewer = await createViewer(platform)
}, 180_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function authorise(): Promise<Record<string, string>> {
  const { token } = await createViewer(platform)
  return { authorization: `Bearer ${token}` }
}

/** The addresses of a viewer's first segments, and the token they carry. */
async function play(): Promise<{ sessionId: string; segments: string[]; token: string }> {
  const { sessionId, manifestUrl } = await viewer.play(titleId)
  const url = new URL(manifestUrl, platform.watchUrl)
  const [variant] = parseMaster(await fetchText(url), url).variants
  const base = variant?.url ?? url
  const segments = parsePlaylist(await fetchText(base), base).segments.map((segment) => segment.url)
  return { sessionId, segments, token: url.pathname.split('/')[2] ?? '' }
}

const statusOf = async (url: string | undefined): Promise<number> => (await fetch(url ?? '')).status
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code
const keyOf = (token: string): string =>
  Buffer.from(token.split('.')[0] ?? '', 'base64url')
    .toString()
    .split('~')[0] ?? ''

test('keys rotate while viewers play: what an older key signed goes on, what is signed anew is by the new one', async () => {
  const before = await play()
  const rotated = await platform.cli('keys', 'rotate')
  expect([rotated.exitCode, rotated.stderr]).toEqual([0, ''])
  expect(await statusOf(before.segments[0])).toBe(200)
  await eventually('a session signed with the new key', async () => keyOf((await play()).token) !== keyOf(before.token))
  expect(await statusOf(before.segments[0])).toBe(200)
  // A key that leaked: gone at once, and play can be pressed at once.
  expect((await platform.cli('keys', 'rotate', '--now')).exitCode).toBe(0)
  await eventually('the leaked key to be refused', async () => (await statusOf(before.segments[0])) === 403, 2_000)
  const after = await eventually('a session signed with the newest key', play, 2_000)
  await eventually('it to be played', async () => (await statusOf(after.segments[0])) === 200, 2_000)
}, 60_000)

test('a session is revoked everywhere within 5 s, control dead; another one plays on', async () => {
  const [ended, other] = [await play(), await play()]
  expect(await statusOf(ended.segments[0])).toBe(200)
  const control = await platform.pidOf('control')
  // Deaf and dumb for as long as this takes; the supervisor gives it ten seconds before it starts another.
  process.kill(control, 'SIGSTOP')
  try {
    const startedMs = performance.now()
    const revoked = await platform.cli('revoke', ended.sessionId, '--reason', 'shared')
    expect([revoked.exitCode, revoked.stderr]).toEqual([0, ''])
    const saidMs = performance.now()
    await eventually('the session to be refused', async () => (await statusOf(ended.segments[0])) === 403, 5_000)
    expect(performance.now() - saidMs).toBeLessThan(5_000)
    expect(await codeOf(await fetch(ended.segments[1] ?? ''))).toBe('session-revoked')
    const renewed = await viewer.post(`/v1/playback/${ended.sessionId}/heartbeat`, { token: ended.token })
    expect([renewed.status, await codeOf(renewed)]).toEqual([410, 'session-revoked'])
    expect(await statusOf(other.segments[0])).toBe(200)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  } finally {
    process.kill(control, 'SIGCONT')
  }
}, 60_000)

test('a purge takes effect at the edge within a second of its acknowledgement', async () => {
  const { segments } = await play()
  const cacheStatus = async () => (await fetch(segments[0] ?? '')).headers.get('cache-status') ?? ''
  await cacheStatus()
  expect(await cacheStatus()).toStartWith('tentpole; hit')
  const purged = await platform.cli('purge', '--tag', titleId)
  expect([purged.exitCode, purged.stderr]).toEqual([0, ''])
  await eventually('it to be fetched again', async () => (await cacheStatus()).includes('fwd=uri-miss'), 1_000)
}, 30_000)

test('scrapers read metrics with a token of their own, which opens nothing else', async () => {
  const token = readFileSync(layoutOf(platform.home).metricsTokenFile, 'utf8').trim()
  const get = (path: string, bearer: string | null): Promise<Response> =>
    fetch(new URL(path, platform.consoleUrl), { headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` } })
  const metrics = await get('/metrics', token)
  const text = await metrics.text()
  expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  expect(text).toMatch(/^tentpole_edge_requests_total\{[^}]*cache="hit"[^}]*\} [1-9]/m)
  expect(text).not.toMatch(/\/v\/[\w-]{20}/)
  expect((await get('/metrics', platform.operatorToken)).status).toBe(200)
  for (const [path, bearer] of [
    ['/metrics', null],
    ['/metrics', 'wrong'],
    ['/api/titles', token],
    ['/api/edge', token],
  ] as const)
    expect([path, (await get(path, bearer)).status]).toEqual([path, 401])
}, 30_000)
