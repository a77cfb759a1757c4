import { afterAll, beforeAll, expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, makeFilm, type Platform, startPlatform } from './platform.ts'

let first: Platform
let second: Platform
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-operate-'))
  ;[first, second] = await Promise.all([startPlatform({ args: ['--log', 'json'] }), startPlatform()])
}, 120_000)

afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()])
  rmSync(directory, { recursive: true, force: true })
})

const health = async (url: string): Promise<{ status: number; faults: string[] }> => {
  const response = await fetch(new URL('/healthz', url))
  return { status: response.status, faults: ((await response.json()) as { faults: string[] }).faults }
}

test('two platforms side by side: each healthy, each with its own titles and its own keys', async () => {
  for (const url of [first.watchUrl, first.consoleUrl, second.watchUrl, second.consoleUrl])
    expect([url, await health(url)]).toEqual([url, { status: 200, faults: [] }])
  const made = await first.staff('/api/titles', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Only here' }),
  })
  expect(made.status).toBe(201)
  expect((await (await second.staff('/api/titles')).json()) as unknown).toEqual({ titles: [] })
  const strange = await fetch(new URL('/api/titles', second.consoleUrl), {
    headers: { authorization: `Bearer ${first.operatorToken}` },
  })
  expect(strange.status).toBe(401)
}, 30_000)

test('with --log json every line is a JSON object but the one that says ready', () => {
  const lines = first.output().trim().split('\n')
  const plain = lines.filter((line) => !line.startsWith('{'))
  expect(plain).toEqual([`ready  watch ${first.watchUrl}  console ${first.consoleUrl}`])
  for (const line of lines.filter((each) => each.startsWith('{'))) expect(JSON.parse(line)).toHaveProperty('role')
})

test('health says what is not well, on both ports, and well again when it is', async () => {
  const store = await first.pidOf('store')
  process.kill(store, 'SIGSTOP')
  try {
    await eventually('the edge is not well', async () => (await health(first.watchUrl)).status === 503, 9_000)
    expect((await health(first.watchUrl)).faults.join(' ')).toContain('log')
    await eventually('control is not well', async () => (await health(first.consoleUrl)).status === 503, 5_000)
    expect((await health(second.watchUrl)).status).toBe(200)
  } finally {
    process.kill(store, 'SIGCONT')
  }
  for (const url of [first.watchUrl, first.consoleUrl])
    await eventually(`${url} is well again`, async () => (await health(url)).status === 200)
}, 60_000)

/** Puts a box behind a film that says nothing, so that its upload takes its time on any machine. */
function makeLarger(film: string, bytes: number): void {
  const box = Buffer.alloc(8)
  box.writeUInt32BE(bytes, 0)
  box.write('free', 4)
  const { size } = statSync(film)
  appendFileSync(film, box)
  truncateSync(film, size + bytes)
}

test('an upload whose client was killed goes on where it was with the same command', async () => {
  const film = await makeFilm(join(directory, 'large.mp4'), {
    seconds: 6,
    size: '1280x720',
    extra: ['-b:v', '150M', '-minrate', '150M', '-bufsize', '5M'],
  })
  makeLarger(film, 400 * 1024 * 1024)
  const command = ['publish', film, '--title', 'Interrupted by its client', '--json'] as const
  const sentOf = (line: string): number | null => {
    const said = JSON.parse(line) as { type: string; sentBytes?: number; bytes?: number }
    return said.type === 'upload' ? (said.sentBytes ?? 0) : null
  }
  const child = first.cliLines(...command)
  let before = 0
  for await (const line of child.lines) {
    before = sentOf(line) ?? before
    if (before === 0) continue
    // The launcher's child is the client; the launcher ends with it.
    for (const pid of readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').filter(Boolean))
      process.kill(Number(pid), 'SIGKILL')
    break
  }
  expect(before).toBeGreaterThan(0)
  const again = await first.cli(...command)
  expect({ exitCode: again.exitCode, stderr: again.stderr }).toEqual({ exitCode: 0, stderr: '' })
  const { titles } = (await (await first.staff('/api/titles')).json()) as { titles: { name: string; state: string }[] }
  expect(titles.filter((title) => title.name === 'Interrupted by its client').map((title) => title.state)).toEqual([
    'published',
  ])
}, 120_000)
