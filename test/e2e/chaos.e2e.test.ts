import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStoreClient } from '../../src/engines/store/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../src/kernel/index.ts'
import { layoutOf } from '../../src/roles/layout.ts'
import { eventually, makeFilm, type Platform, startPlatform } from './platform.ts'
import { createViewer, download, fetchText, parseMaster, parsePlaylist, type Viewer } from './viewer.ts'

let platform: Platform
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-chaos-'))
  platform = await startPlatform()
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A client outside the platform: presses play and sends beacons all the time, and journals what was acknowledged. */
function createJournal(viewer: Viewer, titleId: () => string | null) {
  const sessions: string[] = []
  const positions: number[] = []
  let refused = 0
  let going = true
  let position = 0
  const loop = (async () => {
    while (going) {
      const id = titleId()
      if (id === null) {
        await Bun.sleep(20)
        continue
      }
      try {
        const playback = await viewer.play(id)
        sessions.push(playback.sessionId)
        position += 1
        const answer = await viewer.signal(playback, id, 'progress', position)
        if (answer.ok) positions.push(position)
        else refused += 1
      } catch {
        refused += 1
      }
      // Two requests a turn: under the limit of requests that one viewer has.
      await Bun.sleep(220)
    }
  })()
  const stop = (): Promise<void> => {
    going = false
    return loop
  }
  return { sessions, positions, refused: () => refused, stop }
}

/** Every event of a topic that the log holds, read through the store's socket by a client of its own. */
async function readTopic(topic: string): Promise<{ type: string; subject: string; data: Record<string, unknown> }[]> {
  const client = createStoreClient({
    path: layoutOf(platform.home).storeSocket,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
  })
  const events: { type: string; subject: string; data: Record<string, unknown> }[] = []
  let from = 0
  for (;;) {
    const records = await client.log.read({ topic, from, max: 5_000 })
    for (const record of records) events.push(JSON.parse(Buffer.from(record.value).toString()))
    const last = records.at(-1)
    if (!last) break
    from = last.offset + 1
  }
  await client.close()
  return events
}

test('kill -9 of each role in turn while publishing and playing: it recovers, publishes once, loses nothing acknowledged', async () => {
  const viewer = await createViewer(platform)
  const film = await makeFilm(join(directory, 'film.mp4'), { seconds: 8, size: '640x360' })
  const first = await platform.cli('publish', film, '--title', 'Playing meanwhile', '--json')
  expect({ exitCode: first.exitCode, stderr: first.stderr }).toEqual({ exitCode: 0, stderr: '' })
  const playing = /\/title\/([0-9a-z]{16})/.exec(first.stdout)?.[1] ?? ''
  expect(playing).not.toBe('')
  const journal = createJournal(viewer, () => playing)

  const longer = await makeFilm(join(directory, 'longer.mp4'), { seconds: 20, size: '960x540' })
  for (const role of ['store', 'cell-a', 'cell-b', 'worker-0', 'control', 'edge']) {
    const name = `Published through the death of ${role}`
    const publishing = platform.cli('publish', longer, '--title', name, '--json')
    const title = await eventually(`${name}: work has begun`, async () => {
      const { titles } = (await (await platform.staff('/api/titles')).json()) as {
        titles: { id: string; name: string; state: string; percent: number }[]
      }
      return titles.find((entry) => entry.name === name && entry.state !== 'uploading' && entry.percent > 0)
    })
    const before = await platform.pidOf(role)
    const acknowledged = journal.sessions.length
    process.kill(before, 'SIGKILL')
    await eventually(`${role} is back`, async () => {
      const status = await platform.status()
      const entry = status.roles.find((each) => each.name === role)
      return status.healthy && entry?.state === 'healthy' && entry.pid !== before
    })
    await eventually('viewers press play again', () => journal.sessions.length > acknowledged + 3)
    const { exitCode, stderr, stdout } = await publishing
    expect({ role, exitCode, stderr, stdout: exitCode === 0 ? '' : stdout }).toEqual({
      role,
      exitCode: 0,
      stderr: '',
      stdout: '',
    })
    const staff = await platform.title(title.id)
    expect([role, staff.state, staff.percent]).toEqual([role, 'published', 100])
    const playback = await (await createViewer(platform)).play(title.id)
    const masterUrl = new URL(playback.manifestUrl, platform.watchUrl)
    const master = parseMaster(await fetchText(masterUrl), masterUrl)
    for (const { url } of master.variants) {
      const playlist = parsePlaylist(await fetchText(url), url)
      expect((await download(playlist)).byteLength).toBeGreaterThan(1_000)
    }
    await platform.cli('withdraw', title.id)
  }
  await journal.stop()

  const published = (await readTopic('titles')).filter((event) => event.type === 'tentpole.title.published.v1')
  const perTitle = Map.groupBy(published, (event) => event.subject)
  expect(
    [...perTitle.values()].map(
      (events) => new Set(events.map((event) => (event as unknown as { id: string }).id)).size,
    ),
  ).toEqual(Array(7).fill(1))
  const sessions = new Set((await readTopic('sessions')).map((event) => event.data['sessionId']))
  expect(journal.sessions.filter((id) => !sessions.has(id))).toEqual([])
  const signals = new Set(
    (await readTopic('signals'))
      .filter((event) => event.data['viewerId'] === viewer.viewerId)
      .map((event) => event.data['positionMs']),
  )
  expect(journal.positions.filter((position) => !signals.has(position))).toEqual([])
  expect(journal.sessions.length).toBeGreaterThan(50)
}, 300_000)

test('an upload goes on after control was killed in the middle of it', async () => {
  const film = await makeFilm(join(directory, 'upload.mp4'), {
    seconds: 6,
    size: '1280x720',
    extra: ['-b:v', '20M', '-minrate', '20M', '-bufsize', '2M'],
  })
  const child = platform.cliLines('publish', film, '--title', 'Interrupted upload', '--json')
  let killed = false
  const types: unknown[] = []
  for await (const text of child.lines) {
    types.push((JSON.parse(text) as { type: string }).type)
    if (!killed) {
      killed = true
      process.kill(await platform.pidOf('control'), 'SIGKILL')
    }
  }
  const { exitCode, stderr } = await child.finished
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(killed).toBe(true)
  expect(types).toContain('published')
}, 120_000)

test('control dead: viewers notice nothing', async () => {
  const viewer = await createViewer(platform)
  const { titles } = (await (await platform.staff('/api/titles')).json()) as { titles: { id: string; state: string }[] }
  const titleId = titles.find((title) => title.state === 'published')?.id ?? ''
  const control = await platform.pidOf('control')
  process.kill(control, 'SIGSTOP')
  try {
    const until = performance.now() + 4_000
    while (performance.now() < until) {
      expect((await viewer.get('/v1/home')).status).toBe(200)
      const playback = await viewer.play(titleId)
      const masterUrl = new URL(playback.manifestUrl, platform.watchUrl)
      const variant = parseMaster(await fetchText(masterUrl), masterUrl).variants[0]
      if (!variant) throw new Error('no variant')
      const playlist = parsePlaylist(await fetchText(variant.url), variant.url)
      for (const segment of playlist.segments) expect((await fetch(segment.url)).status).toBe(200)
      expect((await viewer.signal(playback, titleId, 'progress', 1_000)).status).toBe(202)
      await Bun.sleep(300)
    }
  } finally {
    process.kill(control, 'SIGCONT')
  }
}, 60_000)
