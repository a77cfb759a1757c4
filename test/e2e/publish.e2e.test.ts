import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, filesBelow, makeFilm, type Platform, referenceFilm, run, startPlatform } from './platform.ts'
import { createViewer, download, fetchText, parseMaster, parsePlaylist } from './viewer.ts'

let platform: Platform
let directory: string
let film: string
let titleId = ''

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-publish-'))
  film = await referenceFilm(directory)
  platform = await startPlatform()
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Publishes by the CLI and tells when each line came, ms after the call. */
async function publish(
  ...args: string[]
): Promise<{ exitCode: number; stderr: string; lines: { atMs: number; line: Record<string, unknown> }[] }> {
  const began = performance.now()
  const child = platform.cliLines('publish', ...args, '--json')
  const lines: { atMs: number; line: Record<string, unknown> }[] = []
  for await (const text of child.lines)
    lines.push({ atMs: performance.now() - began, line: JSON.parse(text) as Record<string, unknown> })
  const { exitCode, stderr } = await child.finished
  return { exitCode, stderr, lines }
}

async function packets(path: string, stream: string): Promise<{ start: number; end: number; count: number }> {
  const { stdout } = await run([
    'ffprobe',
    '-v',
    'error',
    '-select_streams',
    stream,
    '-show_entries',
    'packet=pts_time,duration_time',
    '-of',
    'csv=p=0',
    path,
  ])
  // ffprobe does not tell the length of a first AAC packet; where it starts counts all the same.
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => {
      const [pts = '', duration = ''] = row.split(',')
      return { at: Number(pts), length: duration === 'N/A' ? 0 : Number(duration) }
    })
  return {
    start: Math.min(...rows.map(({ at }) => at)),
    end: Math.max(...rows.map(({ at, length }) => at + length)),
    count: rows.length,
  }
}

describe('a film goes in', () => {
  test('the CLI publishes it: playable within 5 s of the upload, then published', async () => {
    const { exitCode, lines, stderr } = await publish(film, '--title', 'Reference')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const url = String(lines.find(({ line }) => line['type'] === 'playable')?.line['url'])
    titleId = url.split('/').at(-1) ?? ''
    const at = (type: string): number => lines.find(({ line }) => line['type'] === type)?.atMs ?? Number.NaN
    const uploaded = lines.findLast(({ line }) => line['type'] === 'upload')?.atMs ?? Number.NaN
    expect(at('published')).toBeGreaterThanOrEqual(at('playable'))
    expect(at('playable') - uploaded).toBeLessThan(5_000)
    expect((await platform.title(titleId)).state).toBe('published')
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html')
  }, 120_000)

  test('every segment of every rung decodes without a warning, and durations agree within a frame', async () => {
    const viewer = await createViewer(platform)
    const playback = await viewer.play(titleId)
    const masterUrl = new URL(playback.manifestUrl, platform.watchUrl)
    const master = parseMaster(await fetchText(masterUrl), masterUrl)
    const height = Number(
      (
        await run([
          'ffprobe',
          '-v',
          'error',
          '-select_streams',
          'v:0',
          '-show_entries',
          'stream=height',
          '-of',
          'csv=p=0',
          film,
        ])
      ).stdout,
    )
    expect(master.variants.length).toBeGreaterThan(1)
    expect(Math.max(...master.variants.map((variant) => variant.height))).toBeLessThanOrEqual(height)
    const frameS = 1 / 24
    const spans: { start: number; end: number }[] = []
    for (const [index, url] of [...master.variants.map((variant) => variant.url), ...master.audio].entries()) {
      const playlist = parsePlaylist(await fetchText(url), url)
      expect(playlist.ended).toBe(true)
      const file = join(directory, `track-${index}.mp4`)
      writeFileSync(file, await download(playlist))
      const { stderr } = await run(['ffmpeg', '-v', 'warning', '-xerror', '-i', file, '-f', 'null', '-'])
      expect(stderr).toBe('')
      const span = await packets(file, index < master.variants.length ? 'v:0' : 'a:0')
      const promised = playlist.segments.reduce((sum, segment) => sum + segment.durationS, 0)
      expect(Math.abs(span.end - span.start - promised)).toBeLessThan(frameS)
      spans.push(span)
    }
    expect(master.audio).toHaveLength(1)
    const source = await packets(film, 'v:0')
    // Lengths, not ends: ffprobe moves every picture of a track with negative composition offsets by the largest of them.
    for (const span of spans) {
      expect(Math.abs(span.end - span.start - (source.end - source.start))).toBeLessThan(frameS)
    }
  }, 120_000)

  test('nothing is readable without a signature', async () => {
    const playback = await (await createViewer(platform)).play(titleId)
    const masterUrl = new URL(playback.manifestUrl, platform.watchUrl)
    const variant = parseMaster(await fetchText(masterUrl), masterUrl).variants[0]
    if (!variant) throw new Error('no variant')
    const segment = parsePlaylist(await fetchText(variant.url), variant.url).segments[0]?.url ?? ''
    expect((await fetch(segment)).status).toBe(200)
    const token = masterUrl.pathname.split('/')[2] ?? ''
    const flip = (text: string): string => `${text.slice(0, -2)}${text.at(-2) === 'A' ? 'B' : 'A'}${text.at(-1)}`
    for (const wrong of ['x', flip(token), token.replace('.', ''), `${token}x`]) {
      expect((await fetch(segment.replace(token, wrong))).status).toBe(403)
    }
    const media = new URL(segment).pathname.replace(`/v/${token}/`, '')
    for (const path of [
      `/v/${media}`,
      `/_media/${media}`,
      `/v1/../_media/${media}`,
      `/v1/%2e%2e/_media/${media}`,
      `/objects/${media}`,
      `/${media}`,
    ]) {
      const response = await fetch(new URL(path, platform.watchUrl))
      expect([path, response.headers.get('content-type') === 'video/mp4']).toEqual([path, false])
    }
    expect((await fetch(segment.replace(titleId, '0000000000000000'))).status).toBe(403)
  })
})

describe('bad input', () => {
  const cases: { name: string; file: string; make: (path: string) => Promise<unknown> }[] = [
    {
      name: 'a text file',
      file: 'notes.mp4',
      make: async (path) => writeFileSync(path, 'this is not a film\n'.repeat(100)),
    },
    { name: 'an empty file', file: 'empty.mp4', make: async (path) => writeFileSync(path, '') },
    {
      name: 'a truncated MP4',
      file: 'truncated.mp4',
      make: async (path) => {
        await makeFilm(`${path}.whole.mp4`, { seconds: 4, size: '320x180', extra: ['-movflags', '+faststart'] })
        const whole = readFileSync(`${path}.whole.mp4`)
        writeFileSync(path, whole.subarray(0, Math.floor(whole.length * 0.6)))
      },
    },
    {
      name: 'an MP4 without its index',
      file: 'headless.mp4',
      make: async (path) => {
        await makeFilm(`${path}.whole.mp4`, { seconds: 4, size: '320x180' })
        const whole = readFileSync(`${path}.whole.mp4`)
        writeFileSync(path, whole.subarray(0, Math.floor(whole.length * 0.6)))
      },
    },
    {
      name: 'an MP4 without video',
      file: 'sound.mp4',
      make: (path) => run(['ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'sine=duration=2', '-c:a', 'aac', path]),
    },
    {
      name: 'a playlist renamed to .mp4',
      file: 'playlist.mp4',
      make: async (path) =>
        writeFileSync(path, `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${film}\n#EXT-X-ENDLIST\n`),
    },
    {
      name: 'a concat script renamed to .mp4',
      file: 'concat.mp4',
      make: async (path) => writeFileSync(path, `ffconcat version 1.0\nfile '${film}'\n`),
    },
  ]

  for (const { name, file, make } of cases) {
    test(`${name} is refused with a reason in CLI and console, and nothing is left behind`, async () => {
      const path = join(directory, file)
      await make(path)
      const before = filesBelow(join(platform.home, 'objects'))
      const { exitCode, stderr, lines } = await publish(path, '--title', name)
      expect(exitCode).toBe(1)
      const failed = lines.find(({ line }) => line['type'] === 'failed')?.line
      expect(String(failed?.['reason']).length).toBeGreaterThan(20)
      expect(stderr).toContain(String(failed?.['reason']))
      const titles = (
        (await (await platform.staff('/api/titles')).json()) as {
          titles: { name: string; state: string; reason: string | null }[]
        }
      ).titles
      expect(titles.find((title) => title.name === name)).toMatchObject({
        state: 'failed',
        reason: failed?.['reason'] as string,
      })
      await eventually(
        'no object of the refused title',
        () => filesBelow(join(platform.home, 'objects')).length <= before.length,
      )
      expect(filesBelow(join(platform.home, 'objects'))).toEqual(before)
      await eventually('no scratch of it', () =>
        filesBelow(join(platform.home, 'scratch')).every(
          (left) => statSync(join(platform.home, 'scratch', left)).size === 0 || left.includes(titleId),
        ),
      )
      expect(filesBelow(join(platform.home, 'uploads'))).toEqual([])
    }, 60_000)
  }

  test('other titles are unaffected', async () => {
    const viewer = await createViewer(platform)
    const home = (await (await viewer.get('/v1/home')).json()) as { rails: { id: string; titles: { id: string }[] }[] }
    expect(home.rails.find((rail) => rail.id === 'new')?.titles.map((title) => title.id)).toEqual([titleId])
    expect((await viewer.play(titleId)).durationMs).toBeGreaterThan(29_000)
  })

  test('malformed API bodies get problem details that name the field', async () => {
    const viewer = await createViewer(platform)
    const cases: [string, unknown, string][] = [
      ['/v1/session', { country: 'Germany', tier: 'standard', platform: 'web' }, '/country'],
      ['/v1/playback', { titleId: 7 }, '/titleId'],
      ['/v1/signals', { signals: [{ id: 'x' }] }, '/signals/0/id'],
    ]
    for (const [path, body, pointer] of cases) {
      const response = await viewer.post(path, body)
      expect([path, response.status, response.headers.get('content-type')?.split(';')[0]]).toEqual([
        path,
        400,
        'application/problem+json',
      ])
      const problem = (await response.json()) as { errors: { pointer: string }[] }
      expect(problem.errors.map((error) => error.pointer)).toContain(pointer)
    }
  })

  test('unknown CLI flags and verbs print the usage and exit with 2', async () => {
    for (const args of [['publish', '--nonsense'], ['frobnicate'], ['status', '--wat']]) {
      const { exitCode, stderr } = await platform.cli(...args)
      expect([args, exitCode]).toEqual([args, 2])
      expect(stderr.toLowerCase()).toContain('usage')
    }
  })
})

describe('withdraw', () => {
  test('no new segment anywhere after 5 s, cached ones included, and the title is gone from home', async () => {
    const viewer = await createViewer(platform)
    const playback = await viewer.play(titleId)
    const masterUrl = new URL(playback.manifestUrl, platform.watchUrl)
    const variant = parseMaster(await fetchText(masterUrl), masterUrl).variants[0]
    if (!variant) throw new Error('no variant')
    const segments = parsePlaylist(await fetchText(variant.url), variant.url).segments
    const [first, second] = segments.map((segment) => segment.url)
    expect((await fetch(first ?? '')).status).toBe(200)
    const { exitCode, stdout } = await platform.cli('withdraw', titleId)
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 })
    await eventually('segments are refused', async () => (await fetch(first ?? '')).status === 410, 5_000)
    for (const url of [first, second, masterUrl.href, variant.url.href])
      expect((await fetch(url ?? '')).status).toBe(410)
    expect((await viewer.post('/v1/playback', { titleId })).status).toBeGreaterThanOrEqual(404)
    const home = (await (await viewer.get('/v1/home')).json()) as { rails: { titles: { id: string }[] }[] }
    expect(home.rails.flatMap((rail) => rail.titles).map((title) => title.id)).not.toContain(titleId)
  }, 30_000)
})
