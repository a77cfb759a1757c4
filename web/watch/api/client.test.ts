import { expect, test } from 'bun:test'
import { createViewerApi, type ViewerApiOptions } from './client.ts'
import { countryOf } from './country.ts'
import type { Signal } from './types.ts'

type Seen = { path: string; authorization: string | null; body: unknown; keepalive: boolean }

/** An API whose server is `answer`, with a clock that stands still. */
function open(answer: (seen: Seen) => Response | Promise<Response>, storage: Map<string, string> = new Map()) {
  const seen: Seen[] = []
  const options: ViewerApiOptions = {
    async fetch(path, init) {
      const request = new Request(`http://watch.test${path}`, init)
      const call = {
        path,
        authorization: request.headers.get('authorization'),
        body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
        keepalive: init.keepalive === true,
      }
      seen.push(call)
      return answer(call)
    },
    storage: {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
      removeItem: (key) => void storage.delete(key),
    },
    languages: ['de-AT', 'en'],
    now: () => 1_000_000,
  }
  return { api: createViewerApi(options), seen, storage }
}

const session = (token: string) =>
  Response.json({ viewerId: 'v', token, expiresAtMs: 1_000_000 + 3_600_000, cell: 'a' }, { status: 201 })
const signal: Signal = {
  id: '0199a1a0-0000-7000-8000-000000000000',
  sessionId: 's',
  titleId: '0000000000000000',
  kind: 'progress',
  positionMs: 1,
}

test('one session serves calls made at once and is kept for the next page', async () => {
  let made = 0
  const { api, seen, storage } = open((call) => {
    if (call.path === '/v1/session') made += 1
    return call.path === '/v1/session' ? session(`t${made}`) : Response.json({ hero: null, rails: [] })
  })
  await Promise.all([api.home(), api.home(), api.title('x/y')])
  expect(seen.filter((call) => call.path === '/v1/session')).toHaveLength(1)
  expect(seen[0]?.body).toEqual({ country: 'AT', tier: 'standard', platform: 'web' })
  expect(seen.at(-1)).toMatchObject({ path: '/v1/titles/x%2Fy', authorization: 'Bearer t1' })
  const next = open(() => Response.json({}), storage)
  await next.api.home()
  expect(next.seen.map((call) => call.path)).toEqual(['/v1/home'])
})

test('a refused session is made anew once, and the call repeated', async () => {
  let made = 0
  const { api, seen } = open((call) => {
    if (call.path === '/v1/session') {
      made += 1
      return session(`t${made}`)
    }
    if (call.authorization === 'Bearer t1') return Response.json({ code: 'token-invalid' }, { status: 401 })
    return Response.json({ hero: null, rails: [] })
  })
  expect((await api.home()).ok).toBe(true)
  expect(seen.map((call) => call.path)).toEqual(['/v1/session', '/v1/home', '/v1/session', '/v1/home'])
})

test('a session refused twice is given up, not asked for without end', async () => {
  const { api, seen } = open((call) =>
    call.path === '/v1/session' ? session('t') : Response.json({}, { status: 401 }),
  )
  expect(await api.home()).toMatchObject({ ok: false, problem: { status: 401 } })
  expect(seen).toHaveLength(4)
})

test('no connection is a problem, not an exception', async () => {
  const { api } = open(() => Promise.reject(new TypeError('Failed to fetch')))
  expect(await api.home()).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
})

test('a session about to expire is renewed before use; junk in the storage is no session', async () => {
  for (const kept of ['{"token":"old","expiresAtMs":1050000}', 'null', '{', '{"token":1}']) {
    const { api, seen } = open(
      (call) => (call.path === '/v1/session' ? session('new') : Response.json({})),
      new Map([['tentpole.session', kept]]),
    )
    await api.home()
    expect(seen.map((call) => call.authorization)).toEqual([null, 'Bearer new'])
  }
})

test('signals of a page that is leaving go out in the same turn and outlive it', () => {
  const kept = '{"token":"t","expiresAtMs":99999999}'
  const { api, seen } = open(() => Response.json({ accepted: 1 }), new Map([['tentpole.session', kept]]))
  void api.signals([signal], { leaving: true })
  expect(seen).toMatchObject([{ path: '/v1/signals', keepalive: true, authorization: 'Bearer t' }])
})

test('the country comes from the first language that names one', () => {
  expect(countryOf(['de', 'pt-BR'])).toBe('BR')
  expect(countryOf(['zh-Hant-TW'])).toBe('TW')
  expect(countryOf(['es-419', 'not a language'])).toBe('US')
  expect(countryOf([])).toBe('US')
})
