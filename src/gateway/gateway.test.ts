import { afterEach, describe, expect, test } from 'bun:test'
import type { z } from 'zod'
import { createFilm, type Film } from '../../test/fixtures/film.ts'
import { openTestLog } from '../../test/fixtures/log.ts'
import {
  formatNetwork,
  homeResponseSchema,
  parseNetwork,
  playbackResponseSchema,
  problemSchema,
  sessionResponseSchema,
  titleResponseSchema,
} from '../contracts/index.ts'
import { createId, createLogger, Fault } from '../kernel/index.ts'
import { createTestClock, openTestCell, PATH_KEYS, type TestCell, type TestCellOptions, tokenOf } from './test-cell.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(options?: TestCellOptions): Promise<TestCell> {
  const cell = await openTestCell(options)
  closers.push(cell.close)
  return cell
}
async function problemOf(asked: Response | Promise<Response>): Promise<z.infer<typeof problemSchema>> {
  const answer = await asked
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  const problem = problemSchema.parse(await answer.json())
  expect(problem).toMatchObject({ status: answer.status, type: `urn:tentpole:problem:${problem.code}` })
  return problem
}
const bodyOf = async <S extends z.ZodType>(answer: Response, schema: S): Promise<z.output<S>> => {
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  return schema.parse(await answer.json()) as z.output<S>
}
const ID = '0123456789abcdef'

test('a session lives in the cell of its country', async () => {
  const cell = await open()
  for (const [country, name] of [
    ['US', 'a'],
    ['DE', 'b'],
  ]) {
    const answer = await cell.ask('/v1/session', { body: { country, tier: 'free', platform: 'tv' } })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const session = await bodyOf(answer, sessionResponseSchema)
    expect(session.cell).toBe(name as string)
    expect(JSON.parse(Buffer.from(session.token.split('.')[1] ?? '', 'base64url').toString())).toEqual({
      sub: session.viewerId,
      country,
      tier: 'free',
      platform: 'tv',
      cell: name,
      exp: session.expiresAtMs / 1000,
    })
  }
})

const bodies: readonly (readonly [string, string, unknown, string, readonly string[]])[] = [
  ['no body', '/v1/session', '', 'body-not-json', []],
  ['half a body', '/v1/session', '{"country":', 'body-not-json', []],
  ['an array', '/v1/session', [], 'body-invalid', ['']],
  ['nothing filled in', '/v1/session', {}, 'body-invalid', ['/country', '/tier', '/platform']],
  ['a bad country', '/v1/session', { country: 'de', tier: 'free', platform: 'web' }, 'body-invalid', ['/country']],
  [
    'an unknown field that needs escaping',
    '/v1/session',
    { country: 'DE', tier: 'free', platform: 'web', 'a/b~c': 1 },
    'body-invalid',
    ['/a~1b~0c'],
  ],
  ['a bad title id', '/v1/playback', { titleId: 'ilou' }, 'body-invalid', ['/titleId']],
  ['no signals', '/v1/signals', { signals: [] }, 'body-invalid', ['/signals']],
  [
    'a bad signal in a batch',
    '/v1/signals',
    {
      signals: [
        { id: createId(), sessionId: 's', titleId: ID, kind: 'progress', positionMs: 1 },
        { id: 'x', sessionId: '', titleId: ID, kind: 'paused', positionMs: -1 },
      ],
    },
    'body-invalid',
    ['/signals/1/id', '/signals/1/sessionId', '/signals/1/kind', '/signals/1/positionMs'],
  ],
  ['a bad heartbeat', '/v1/playback/s1/heartbeat', { token: 7 }, 'body-invalid', ['/token']],
]
test.each(bodies)('%s sent to %s is refused and each field named', async (_, path, body, code, pointers) => {
  const cell = await open()
  const problem = await problemOf(cell.ask(path, { token: await cell.signIn(), body }))
  expect([problem.status, problem.code]).toEqual([400, code])
  expect((problem.errors ?? []).map((error) => error.pointer)).toEqual([...pointers])
  expect(problem.detail.length).toBeGreaterThan(20)
})

test('a body must be declared as JSON, unencoded, and not be too large, with and without a length', async () => {
  const cell = await open({ limits: { apiBodyBytesMax: 100 } })
  const body = JSON.stringify({ country: 'DE', tier: 'free', platform: 'web' })
  const ask = (headers: Record<string, string>, text = body) => cell.ask('/v1/session', { body: text, headers })
  for (const type of ['text/plain', 'application/jsonp', 'multipart/form-data'])
    expect(await problemOf(ask({ 'content-type': type }))).toMatchObject({ status: 415 })
  expect(await problemOf(ask({ 'content-encoding': 'gzip' }))).toMatchObject({ status: 415 })
  for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON'])
    expect((await ask({ 'content-type': type })).status).toBe(200)

  const large = JSON.stringify({ country: 'DE', padding: 'x'.repeat(100) })
  expect(await problemOf(ask({}, large))).toMatchObject({ status: 413, code: 'body-too-large' })
  expect(await problemOf(ask({ 'content-length': String(large.length) }, large))).toMatchObject({ status: 413 })
  const held = new Request('http://cell/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '"ééééééééééééééééééééééééééééééééééééééééééééééééééé"',
  })
  expect(await problemOf(cell.gateway(held, { bodyHeld: true }))).toMatchObject({ status: 413 })
})

test('unknown addresses are 404, known ones with another method 405 with Allow', async () => {
  const cell = await open()
  for (const path of ['/', '/v1', '/v1/homes', '/v1/titles', '/v1/titles/a/b', '/v2/home', '/v1/home/'])
    expect(await problemOf(cell.ask(path))).toMatchObject({ status: 404, code: 'route-not-found' })
  const methods: readonly (readonly [string, string, string])[] = [
    ['POST', '/v1/home', 'GET, HEAD'],
    ['GET', '/v1/session', 'POST'],
    ['DELETE', '/v1/playback', 'POST'],
    ['PUT', '/v1/titles/x', 'GET, HEAD'],
    ['GET', '/v1/playback/s/heartbeat', 'POST'],
    ['PATCH', '/v1/openapi.json', 'GET, HEAD'],
  ]
  for (const [method, path, allow] of methods) {
    const answer = await cell.gateway(new Request(`http://cell${path}`, { method }))
    expect([path, answer.headers.get('allow')]).toEqual([path, allow])
    expect(await problemOf(answer)).toMatchObject({ status: 405 })
  }
})

test('what needs a viewer says so, and how to become one', async () => {
  const cell = await open()
  const asks: readonly (readonly [string, unknown])[] = [
    ['/v1/home', undefined],
    [`/v1/titles/${ID}`, undefined],
    ['/v1/playback', { titleId: ID }],
    ['/v1/signals', { signals: [] }],
  ]
  for (const [path, body] of asks) {
    const missing = await cell.ask(path, { body })
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="tentpole"')
    expect(await problemOf(missing)).toMatchObject({ status: 401, code: 'token-missing' })
    for (const authorization of ['Bearer x', 'Basic dTpw', 'Bearer a.b.c']) {
      const bad = await cell.ask(path, { body, headers: { authorization } })
      expect(bad.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(await problemOf(bad)).toMatchObject({ status: 401, code: 'token-invalid' })
    }
  }
})

test('home: the newest first, one rail of what this viewer has begun, nothing that cannot be watched', async () => {
  const cell = await open({ limits: { railTitlesMax: 2 } })
  const token = await cell.signIn()
  const home = async (as = token) => bodyOf(await cell.ask('/v1/home', { token: as }), homeResponseSchema)
  expect(await home()).toEqual({
    hero: null,
    rails: [
      { id: 'continue', name: 'Continue watching', titles: [] },
      { id: 'new', name: 'New', titles: [] },
    ],
  })
  const films = [1, 2, 3, 4].map((n) => createFilm(String(n).repeat(16), { createdAtMs: n, name: `Film ${n}` }))
  const [one, two, three, four] = films as [Film, Film, Film, Film]
  await cell.tell([...one.first(), ...one.rest(), ...two.first(), ...three.first(), ...four.first().slice(0, -1)])
  const watch = (film: Film, positionMs: number) =>
    cell.ask('/v1/signals', {
      token,
      body: { signals: [{ id: createId(), sessionId: 's', titleId: film.id, kind: 'progress', positionMs }] },
    })
  for (const film of [one, three, four]) expect((await watch(film, 20_000)).status).toBe(202)
  await cell.tell([])
  const own = await home()
  expect(own.hero).toMatchObject({ id: three.id, resumeMs: 20_000, state: 'playable', posterUrl: null })
  const ids = own.rails.map((rail) => [rail.id, rail.titles.map((title) => [title.id, title.resumeMs])])
  expect(ids).toEqual([
    [
      'continue',
      [
        [three.id, 20_000],
        [one.id, 20_000],
      ],
    ],
    [
      'new',
      [
        [three.id, 20_000],
        [two.id, null],
      ],
    ],
  ])
  expect(own.rails[0]?.titles[1]).toEqual({
    id: one.id,
    name: 'Film 1',
    description: 'A film',
    durationMs: 60_060,
    posterUrl: `/art/${one.id}/poster.jpg`,
    state: 'published',
    createdAtMs: 1,
    resumeMs: 20_000,
  })
  const other = await home(await cell.signIn('US'))
  expect(other.rails.map((rail) => rail.titles.map((title) => title.resumeMs))).toEqual([[], [null, null]])

  await watch(three, 59_000)
  await cell.tell([one.withdrawn()])
  expect((await home()).rails.map((rail) => rail.titles.map((title) => title.id))).toEqual([[], [three.id, two.id]])
})

test('a title: as it is listed, not before, not after', async () => {
  const cell = await open()
  const token = await cell.signIn()
  const ask = () => cell.ask(`/v1/titles/${ID}`, { token })
  expect(await problemOf(ask())).toMatchObject({ status: 404, code: 'title-not-found' })
  await cell.tell(cell.film.first().slice(0, -1))
  expect(await problemOf(ask())).toMatchObject({ status: 404, code: 'title-not-found' })
  await cell.tell([cell.film.playable()])
  expect(await bodyOf(await ask(), titleResponseSchema)).toMatchObject({
    heights: [240],
    captions: [],
    posterUrl: null,
  })
  await cell.tell(cell.film.rest())
  expect(await bodyOf(await ask(), titleResponseSchema)).toMatchObject({
    heights: [240, 480, 720],
    captions: [
      { language: 'en', label: 'English' },
      { language: 'de', label: 'Deutsch' },
    ],
    state: 'published',
  })
  await cell.tell([cell.film.withdrawn()])
  expect(await problemOf(ask())).toMatchObject({ status: 410, code: 'title-withdrawn' })
})

test('press play: the session is on the log when the answer comes, and the address is signed', async () => {
  const cell = await open()
  const token = await cell.signIn()
  await cell.tell(cell.film.first())
  await cell.ask('/v1/signals', {
    token,
    body: { signals: [{ id: createId(), sessionId: 's', titleId: ID, kind: 'stalled', positionMs: 30_000 }] },
  })
  await cell.tell([])
  const answer = await cell.ask('/v1/playback', { token, body: { titleId: ID } })
  const records = await cell.log.read({ topic: 'sessions', from: 0, max: 10 })
  const started = await bodyOf(answer, playbackResponseSchema)
  expect(started).toMatchObject({ heartbeatMs: 30_000, resumeMs: 30_000, durationMs: 60_060 })
  expect(records.map((record) => [record.key, JSON.parse(Buffer.from(record.value).toString()).data])).toEqual([
    [
      started.sessionId,
      {
        sessionId: started.sessionId,
        viewerId: JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub,
        titleId: ID,
        country: 'DE',
        tier: 'free',
        platform: 'web',
        cell: 'b',
      },
    ],
  ])
  expect(started.manifestUrl).toEndWith(`/${ID}/main.m3u8`)
  expect(tokenOf(started.manifestUrl).check).toEqual({
    ok: true,
    token: {
      keyId: 'k1',
      prefix: `/${ID}/`,
      sessionId: started.sessionId,
      cell: 'b',
      expiresAtS: started.expiresAtMs / 1000,
      network: null,
    },
  })
})

test('what is not listed cannot be played, and starts no session', async () => {
  const cell = await open()
  const token = await cell.signIn()
  const play = () => cell.ask('/v1/playback', { token, body: { titleId: ID } })
  expect(await problemOf(play())).toMatchObject({ status: 404, code: 'title-not-found' })
  await cell.tell(cell.film.first().slice(0, -1))
  expect(await problemOf(play())).toMatchObject({ status: 404 })
  await cell.tell([cell.film.playable(), cell.film.withdrawn()])
  expect(await problemOf(play())).toMatchObject({ status: 410, code: 'title-withdrawn' })
  expect(await cell.log.read({ topic: 'sessions', from: 0, max: 10 })).toEqual([])
})

test('the heartbeat renews the token of its own session, also one expired just now, until the title is withdrawn', async () => {
  const clock = createTestClock()
  const cell = await open({ clock })
  await cell.tell(cell.film.first())
  const play = await cell.ask('/v1/playback', { token: await cell.signIn(), body: { titleId: ID } })
  const { sessionId, manifestUrl, expiresAtMs } = await bodyOf(play, playbackResponseSchema)
  const first = tokenOf(manifestUrl).text
  const beat = (token: string, session = sessionId) =>
    cell.ask(`/v1/playback/${session}/heartbeat`, { body: { token } })

  clock.advance(30_000)
  const renewed = (await (await beat(first)).json()) as { token: string; expiresAtMs: number; heartbeatMs: number }
  expect(renewed).toMatchObject({ expiresAtMs: expiresAtMs + 30_000, heartbeatMs: 30_000 })
  expect(tokenOf(`/v/${renewed.token}/`).check).toMatchObject({
    ok: true,
    token: { sessionId, prefix: `/${ID}/`, cell: 'b' },
  })
  expect(await problemOf(beat(first, 'another'))).toMatchObject({ status: 403, code: 'token-of-another-session' })
  expect(await problemOf(beat(`${first.slice(0, -2)}AA`))).toMatchObject({ status: 401, code: 'token-invalid' })
  expect(await problemOf(beat('nonsense'))).toMatchObject({ status: 401, code: 'token-invalid' })

  clock.advance(expiresAtMs + 59_000 - clock.nowMs())
  expect((await beat(first)).status).toBe(200)
  clock.advance(2_000)
  expect(await problemOf(beat(first))).toMatchObject({ status: 401, code: 'token-expired' })
  await cell.tell([cell.film.withdrawn()])
  expect(await problemOf(beat(renewed.token))).toMatchObject({ status: 410, code: 'title-withdrawn' })
})

describe('tokens bound to the network of who presses play', () => {
  const from = (address: string) => ({ headers: { 'x-tentpole-client': address } })
  const cases: readonly (readonly [string, string | null, inside: string, outside: string])[] = [
    ['192.0.2.77', '192.0.2.0/24', '192.0.2.1', '192.0.3.1'],
    ['::ffff:192.0.2.77', '192.0.2.0/24', '::ffff:192.0.2.1', '2001:db8::1'],
    ['2001:db8:0:1::7', '2001:db8::/56', '2001:db8:0:2::9', '2001:db8:0:100::7'],
  ]
  test.each(cases)('from %p: %p', async (address, network, inside, outside) => {
    const cell = await open({ signatures: { bindIpv4Bits: 24, bindIpv6Bits: 56 } })
    await cell.tell(cell.film.first())
    const play = { token: await cell.signIn(), body: { titleId: ID }, ...from(address) }
    const started = await bodyOf(await cell.ask('/v1/playback', play), playbackResponseSchema)
    const { check, text } = tokenOf(started.manifestUrl)
    expect(check.ok && check.token.network && formatNetwork(check.token.network)).toBe(network)
    const beat = (headers = {}) =>
      cell.ask(`/v1/playback/${started.sessionId}/heartbeat`, { body: { token: text }, ...headers })
    const renewed = (await (await beat(from(inside))).json()) as { token: string }
    expect(tokenOf(`/v/${renewed.token}/`).check).toMatchObject({
      ok: true,
      token: { network: parseNetwork(network ?? '') },
    })
    for (const elsewhere of [from(outside), from(''), {}])
      expect(await problemOf(beat(elsewhere))).toMatchObject({ status: 403, code: 'token-of-another-network' })
  })

  test('a kind of address that is not to be bound is not', async () => {
    const cell = await open({ signatures: { bindIpv6Bits: 56 } })
    await cell.tell(cell.film.first())
    const answer = await cell.ask('/v1/playback', {
      token: await cell.signIn(),
      body: { titleId: ID },
      ...from('192.0.2.7'),
    })
    const started = await bodyOf(answer, playbackResponseSchema)
    expect(tokenOf(started.manifestUrl).check).toMatchObject({ ok: true, token: { network: null } })
  })

  test('nobody is given one that is good everywhere instead, and no session starts', async () => {
    const cell = await open({ signatures: { bindIpv4Bits: 24 } })
    await cell.tell(cell.film.first())
    const play = { token: await cell.signIn(), body: { titleId: ID } }
    expect(await problemOf(cell.ask('/v1/playback', play))).toMatchObject({ status: 500, code: 'internal' })
    expect(await cell.log.read({ topic: 'sessions', from: 0, max: 10 })).toEqual([])
  })
})

test('a token is renewed with the key that signs now, and not at all once its own is retired', async () => {
  let keys = PATH_KEYS
  const cell = await open({ pathKeys: () => keys })
  await cell.tell(cell.film.first())
  const play = await cell.ask('/v1/playback', { token: await cell.signIn(), body: { titleId: ID } })
  const { sessionId, manifestUrl } = await bodyOf(play, playbackResponseSchema)
  const beat = (token: string) => cell.ask(`/v1/playback/${sessionId}/heartbeat`, { body: { token } })
  const first = tokenOf(manifestUrl).text
  const next = Buffer.alloc(32, 8).toString('base64url')
  keys = { current: 'k2', keys: { ...PATH_KEYS.keys, k2: next } }
  const second = ((await (await beat(first)).json()) as { token: string }).token
  expect(Buffer.from(second, 'base64url').toString()).toStartWith('k2~')
  keys = { current: 'k2', keys: { k2: next } }
  expect(await problemOf(beat(first))).toMatchObject({ status: 401, code: 'token-invalid' })
  expect((await beat(second)).status).toBe(200)
})

test('a batch of signals sent twice is accepted twice and has one effect', async () => {
  const cell = await open()
  const token = await cell.signIn()
  await cell.tell(cell.film.first())
  const send = (positionMs: number, id = createId()) =>
    cell.ask('/v1/signals', {
      token,
      body: { signals: [{ id, sessionId: 's', titleId: ID, kind: 'progress', positionMs }] },
    })
  const id = createId()
  expect(await (await send(10_000, id)).json()).toEqual({ accepted: 1 })
  expect((await send(25_000)).status).toBe(202)
  expect((await send(10_000, id)).status).toBe(202)
  await cell.tell([])
  const title = await bodyOf(await cell.ask(`/v1/titles/${ID}`, { token }), titleResponseSchema)
  expect(title.resumeMs).toBe(25_000)
})

test('two cells of one platform, and one that starts later, know the same', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  const [a, b] = [await open({ log, cell: 'a' }), await open({ log, cell: 'b' })]
  const token = await a.signIn()
  await a.tell([...a.film.first(), ...a.film.rest()])
  const signals = [{ id: createId(), sessionId: 's', titleId: ID, kind: 'progress', positionMs: 12_345 }]
  expect((await b.ask('/v1/signals', { token, body: { signals } })).status).toBe(202)
  await Promise.all([a.tell([]), b.tell([])])
  const late = await open({ log, cell: 'a' })
  const homes = await Promise.all([a, b, late].map(async (cell) => (await cell.ask('/v1/home', { token })).text()))
  expect(JSON.parse(homes[0] ?? '').rails[0].titles).toMatchObject([{ id: ID, resumeMs: 12_345 }])
  expect(new Set(homes).size).toBe(1)
})

test('a viewer who asks too often waits; others do not', async () => {
  const clock = createTestClock()
  const cell = await open({ clock, limits: { viewerRequestsBurstMax: 2, viewerRequestsPerSecondMax: 0.5 } })
  const [one, two] = [await cell.signIn(), await cell.signIn()]
  const play = (token: string) => cell.ask('/v1/playback', { token, body: { titleId: ID } })
  expect([(await play(one)).status, (await play(one)).status]).toEqual([404, 404])
  const refused = await play(one)
  expect(refused.headers.get('retry-after')).toBe('2')
  expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'too-many-requests' })
  expect((await play(two)).status).toBe(404)
  expect((await cell.ask('/v1/signals', { token: one, body: {} })).status).toBe(400)
  clock.advance(2_000)
  expect([(await play(one)).status, (await play(one)).status]).toEqual([404, 429])
})

test('a log that is away is 503 with Retry-After; browsing goes on; what nobody expected is 500 without a stack', async () => {
  const lines: string[] = []
  const logger = createLogger({ role: 'cell', format: 'json', write: (line) => lines.push(line) })
  const { log, close } = await openTestLog()
  closers.push(close)
  let broken: Error | null = null
  const append: typeof log.append = (topic, records) => (broken ? Promise.reject(broken) : log.append(topic, records))
  const cell = await open({ log: { ...log, append }, logger })
  const token = await cell.signIn()
  await cell.tell(cell.film.first())
  const play = () => cell.ask('/v1/playback', { token, body: { titleId: ID } })

  broken = new Fault('log-unavailable', 'the store is restarting')
  const away = await play()
  expect(away.headers.get('retry-after')).toBe('1')
  expect(await problemOf(away)).toMatchObject({ status: 503, code: 'unavailable' })
  expect((await cell.ask('/v1/home', { token })).status).toBe(200)
  expect((await cell.ask(`/_media/${ID}/main.m3u8`, { headers: { 'x-tentpole-session': 's' } })).status).toBe(200)

  broken = new TypeError('secret detail')
  const failed = await play()
  const text = await failed.clone().text()
  expect(text).not.toContain('secret detail')
  const problem = await problemOf(failed)
  expect(problem).toMatchObject({ status: 500, code: 'internal' })
  expect(
    lines.filter((line) => line.includes(String(problem.instance)) && line.includes('secret detail')),
  ).toHaveLength(1)

  broken = null
  expect((await play()).status).toBe(200)
})

test('an answer that takes too long is given up', async () => {
  const { log, close } = await openTestLog()
  closers.push(close)
  const stuck = { ...log, append: () => new Promise<never>(() => {}) }
  const cell = await open({ log: stuck, limits: { apiTimeoutMs: 50 } })
  const teller = await open({ log })
  await teller.tell(teller.film.first())
  await cell.tell([])
  const token = await cell.signIn()
  expect(await problemOf(cell.ask('/v1/playback', { token, body: { titleId: ID } }))).toMatchObject({ status: 503 })
})
