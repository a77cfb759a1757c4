import { afterEach, expect, test } from 'bun:test'
import { AUDIO_SEGMENTS, FILM_PLAN, VIDEO_SEGMENTS } from '../../test/fixtures/film.ts'
import { audioSegmentCount } from '../contracts/index.ts'
import { createTestClock, openTestCell, type TestCell, type TestCellOptions } from './test-cell.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
async function open(options?: TestCellOptions): Promise<TestCell> {
  const cell = await openTestCell(options)
  closers.push(cell.close)
  return cell
}

const ID = '0123456789abcdef'
const SESSION = { 'x-tentpole-session': 's1' }
const get = (cell: TestCell, file: string, headers: Record<string, string> = SESSION): Promise<Response> =>
  cell.ask(`/_media/${ID}/${file}`, { headers })
const codeOf = async (answer: Response | Promise<Response>): Promise<[number, string]> => [
  (await answer).status,
  ((await (await answer).json()) as { code: string }).code,
]
const wanted = async (cell: TestCell): Promise<unknown[]> =>
  (await cell.log.read({ topic: 'media', from: 0, max: 100 })).map((record) => {
    const event = JSON.parse(Buffer.from(record.value).toString())
    return [event.type, record.key, event.data.track, event.data.index]
  })

test('objects are answered by their key, for the edge to send', async () => {
  const cell = await open()
  await cell.tell([...cell.film.first(), ...cell.film.rest()])
  const files: readonly (readonly [string, string, string])[] = [
    ['v240/init.mp4', 'v240/1/init.mp4', 'video/mp4'],
    [`v720/${VIDEO_SEGMENTS - 1}.m4s`, `v720/1/${VIDEO_SEGMENTS - 1}.m4s`, 'video/mp4'],
    ['a0/init.mp4', 'a0/1/init.mp4', 'audio/mp4'],
    [`a0/${AUDIO_SEGMENTS - 1}.m4s`, `a0/1/${AUDIO_SEGMENTS - 1}.m4s`, 'audio/mp4'],
    ['c1.vtt', 'c1/1/captions.vtt', 'text/vtt; charset=utf-8'],
    ['poster.jpg', 'poster/1/poster.jpg', 'image/jpeg'],
  ]
  for (const [file, key, type] of files) {
    const answer = await get(cell, file)
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-tentpole-object': `titles/${ID}/${key}`,
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
    })
  }
})

test('playlists are rendered, and may be shared for a second', async () => {
  const cell = await open()
  await cell.tell(cell.film.first())
  for (const file of ['main.m3u8', 'v240.m3u8', 'v720.m3u8', 'a0.m3u8']) {
    const answer = await get(cell, file)
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=1')
    expect(answer.headers.has('x-tentpole-object')).toBe(false)
    expect(await answer.text()).toStartWith('#EXTM3U\n')
  }
})

test('the edge may keep a playlist that is final; the main one is when all that is planned is made', async () => {
  const cell = await open()
  const keptAs = async (file: string) => (await get(cell, file)).headers.get('tentpole-cache-control')
  const final = 'public, max-age=86400'
  const growing = 'public, max-age=1, stale-while-revalidate=5'
  await cell.tell(cell.film.first())
  expect([await keptAs('v720.m3u8'), await keptAs('a0.m3u8'), await keptAs('main.m3u8')]).toEqual([
    final,
    final,
    growing,
  ])
  await cell.tell(cell.film.rest())
  expect(await keptAs('main.m3u8')).toBe(final)
})

test('a rendition that joins late, and captions, are in the next manifest', async () => {
  const cell = await open()
  await cell.tell(cell.film.first())
  const uris = async () => [...(await (await get(cell, 'main.m3u8')).text()).matchAll(/[vc]\d+\.m3u8/g)].map(String)
  expect(await uris()).toEqual(['v240.m3u8'])
  expect(await codeOf(get(cell, 'c0.m3u8'))).toEqual([404, 'file-not-found'])
  await cell.tell([cell.film.segments('v480', 0, 5)])
  expect(await uris()).toEqual(['v240.m3u8'])
  await cell.tell([cell.film.segments('v480', 5, VIDEO_SEGMENTS), cell.film.captions('c0')])
  expect(await uris()).toEqual(['c0.m3u8', 'v240.m3u8', 'v480.m3u8'])
  expect((await get(cell, 'c0.m3u8')).status).toBe(200)
})

test('every address of every playlist is there once the title is published', async () => {
  const cell = await open({ limits: { segmentHoldMs: 1 } })
  await cell.tell([...cell.film.first(), ...cell.film.rest()])
  const addresses = (text: string) =>
    text
      .split('\n')
      .flatMap((line) => [
        ...(line === '' || line.startsWith('#') ? [] : [line]),
        ...[...line.matchAll(/URI="([^"]+)"/g)].map(([, uri]) => uri ?? ''),
      ])
  const playlists = addresses(await (await get(cell, 'main.m3u8')).text())
  expect(playlists.sort()).toEqual(['a0.m3u8', 'c0.m3u8', 'c1.m3u8', 'v240.m3u8', 'v480.m3u8', 'v720.m3u8'])
  const files = (
    await Promise.all(playlists.map(async (file) => addresses(await (await get(cell, file)).text())))
  ).flat()
  const sound = FILM_PLAN.audio ? audioSegmentCount(FILM_PLAN.audio) : 0
  expect(files).toHaveLength(3 * (VIDEO_SEGMENTS + 1) + sound + 1 + 2)
  for (const file of files) expect([file, (await get(cell, file)).status]).toEqual([file, 200])
})

test('what the plan has not is 404, whatever is made', async () => {
  const cell = await open()
  await cell.tell(cell.film.first())
  const files = [
    `v240/${VIDEO_SEGMENTS}.m4s`,
    `a0/${AUDIO_SEGMENTS}.m4s`,
    'v1080/0.m4s',
    'v1080.m3u8',
    'v1080/init.mp4',
    'v240/00.m4s',
    'v240/-1.m4s',
    'c9.vtt',
    'c9.m3u8',
    'poster.jpg',
    'source/film',
    'main.mpd',
    'constructor',
    'v240/0.m4s/x',
    '../x',
  ]
  for (const file of files) expect([file, (await get(cell, file)).status]).toEqual([file, 404])
  expect(await wanted(cell)).toEqual([])
})

test('nothing of a title that is not listed: not made yet 404, withdrawn 410', async () => {
  const cell = await open()
  await cell.tell(cell.film.first().slice(0, -1))
  for (const file of ['main.m3u8', 'v240/0.m4s', 'v240/init.mp4'])
    expect(await codeOf(get(cell, file))).toEqual([404, 'title-not-found'])
  await cell.tell([cell.film.playable()])
  expect((await get(cell, 'v240/0.m4s')).status).toBe(200)
  await cell.tell([cell.film.withdrawn()])
  for (const file of ['main.m3u8', 'v240/0.m4s', 'v240/9.m4s', 'poster.jpg'])
    expect(await codeOf(get(cell, file))).toEqual([410, 'title-withdrawn'])
})

test('without a session that the edge has checked there is only the poster, and only as public artwork', async () => {
  const cell = await open()
  await cell.tell([...cell.film.first(), cell.film.poster()])
  const art = { 'x-tentpole-public': '1' }
  expect((await get(cell, 'poster.jpg', art)).status).toBe(200)
  for (const [file, headers] of [
    ['poster.jpg', {}],
    ['main.m3u8', {}],
    ['main.m3u8', art],
    ['v240/0.m4s', art],
  ] as const)
    expect(await codeOf(get(cell, file, { ...headers }))).toEqual([403, 'signature-missing'])
})

test('a segment still to be made is held until it is made, and wanted once however many wait', async () => {
  const clock = createTestClock()
  const cell = await open({ clock, limits: { segmentWantedRepeatMs: 5_000 } })
  await cell.tell(cell.film.first())
  const held = [get(cell, 'v240/9.m4s'), get(cell, 'v240/9.m4s'), get(cell, 'v720/init.mp4')]
  while ((await wanted(cell)).length < 2) await Bun.sleep(1)
  await cell.tell([cell.film.segments('v240', 8, 10), cell.film.segments('v720', 4, 5)])
  const answers = await Promise.all(held)
  expect(answers.map((answer) => answer.headers.get('x-tentpole-object'))).toEqual([
    `titles/${ID}/v240/1/9.m4s`,
    `titles/${ID}/v240/1/9.m4s`,
    `titles/${ID}/v720/1/init.mp4`,
  ])
  expect(await wanted(cell)).toEqual([
    ['tentpole.segment.wanted.v1', ID, 'v240', 9],
    ['tentpole.segment.wanted.v1', ID, 'v720', 0],
  ])
})

test('a segment that stays unmade is 503 with Retry-After, and wanted again after a while', async () => {
  const clock = createTestClock()
  const cell = await open({ clock, limits: { segmentHoldMs: 20 } })
  await cell.tell(cell.film.first())
  const answer = await get(cell, 'v240/9.m4s')
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await codeOf(answer)).toEqual([503, 'segment-not-ready'])
  await get(cell, 'v240/9.m4s')
  expect(await wanted(cell)).toHaveLength(1)
  clock.advance(5_000)
  await get(cell, 'v240/9.m4s')
  expect(await wanted(cell)).toHaveLength(2)
})

test('a withdrawal ends a held request; one whose client goes frees its place', async () => {
  const cell = await open({ limits: { segmentHoldsMax: 1 } })
  await cell.tell(cell.film.first())
  const client = new AbortController()
  const request = new Request(`http://cell/_media/${ID}/v240/9.m4s`, { headers: SESSION, signal: client.signal })
  const left = cell.gateway(request)
  expect(await codeOf(get(cell, 'v240/10.m4s'))).toEqual([503, 'segment-not-ready'])
  client.abort()
  await left
  const held = get(cell, 'v240/10.m4s')
  await cell.tell([cell.film.withdrawn()])
  expect(await codeOf(held)).toEqual([410, 'title-withdrawn'])
})
