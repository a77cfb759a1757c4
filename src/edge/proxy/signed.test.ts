import { afterEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type PathKeys, parseNetwork, signPathToken } from '../../contracts/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { createProxyEdge } from './proxy-edge.ts'

const secret = (seed: number): string => Buffer.alloc(32, seed).toString('base64url')
const KEYS: PathKeys = { current: 'k1', keys: { k1: secret(1) } }

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An edge that serves signed addresses alone, in front of an origin that tells everything it is asked. */
function open() {
  const asked: { readonly url: string; readonly headers: Record<string, string> }[] = []
  const seen: unknown[] = []
  let keys = KEYS
  let ahead = 0
  const origin = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      asked.push({ url: request.url, headers: Object.fromEntries(request.headers) })
      return new Response(new URL(request.url).pathname, { headers: { 'cache-control': 'max-age=600', etag: '"1"' } })
    },
  })
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [`http://127.0.0.1:${origin.port}`],
    logger: silentLogger,
    clock: { nowMs: () => Date.now() + ahead, elapsedMs: () => performance.now() + ahead },
    signatures: { keys: () => keys, publicPrefixes: ['/public/', '/logo'] },
    onExchange: ({ answer }) => seen.push(answer.report),
  })
  closers.push(
    () => origin.stop(true),
    () => edge.close({ drainMs: 100 }),
  )
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${edge.port}${path}`, { headers })
    const text = await response.text()
    return { response, text, code: response.ok ? null : (JSON.parse(text) as { code: string }).code }
  }
  return {
    edge,
    asked,
    seen,
    get,
    use(next: PathKeys) {
      keys = next
    },
    passTime(ms: number) {
      ahead += ms
    },
  }
}

type Claims = Parameters<typeof signPathToken>[1]
const sign = (claims: Partial<Claims> = {}, keys: PathKeys = KEYS): string =>
  signPathToken(keys, {
    prefix: '/films/x/',
    sessionId: 's1',
    cell: '-',
    network: null,
    expiresAtS: Math.floor(Date.now() / 1_000) + 60,
    ...claims,
  })

test('signed addresses share one copy; nothing unsigned is served but what is public', async () => {
  const { get, asked, edge } = open()
  for (let session = 0; session < 50; session++) {
    const { text } = await get(`/v/${sign({ sessionId: `s${session}` })}/films/x/1.m4s`)
    expect(text).toBe('/films/x/1.m4s')
  }
  expect([asked.length, edge.statistics().entries]).toEqual([1, 1])
  expect((await get('/public/logo.png')).text).toBe('/public/logo.png')
  expect((await get('/logo')).text).toBe('/logo')
  const secret = ['/films/x/1.m4s', '/', '/v/films/x/1.m4s', '/public', '/publicity', '/logo.png', '/logo/1', '/v/']
  for (const path of secret) expect([path, (await get(path)).response.status]).toEqual([path, 403])
  expect(asked.length).toBe(3)
})

test('a signed path is not readable with a changed path, prefix, expiry, address or key', async () => {
  const { get, asked, use, passTime } = open()
  const good = sign()
  expect((await get(`/v/${good}/films/x/1.m4s`)).response.status).toBe(200)
  const reached = asked.length
  const refused: readonly (readonly [string, string])[] = [
    [`/v/${good}/films/y/1.m4s`, 'token-other-path'],
    [`/v/${good}/films/xy/1.m4s`, 'token-other-path'],
    [`/v/${good}/films/x`, 'token-other-path'],
    [`/v/${sign({ prefix: '/films/y/' })}/films/x/1.m4s`, 'token-other-path'],
    [`/v/${sign({ expiresAtS: 1 })}/films/x/1.m4s`, 'token-expired'],
    [`/v/${sign({ network: parseNetwork('10.0.0.0/8') })}/films/x/1.m4s`, 'token-other-network'],
    [`/v/${sign({}, { current: 'k1', keys: { k1: secret(9) } })}/films/x/1.m4s`, 'token-bad-signature'],
    [`/v/${sign({}, { current: 'k9', keys: { k9: secret(9) } })}/films/x/1.m4s`, 'token-unknown-key'],
    [`/v/x${good}/films/x/1.m4s`, 'token-malformed'],
  ]
  for (const [path, code] of refused) expect([path, (await get(path)).code]).toEqual([path, code])
  expect((await get(`/v/${sign({ network: parseNetwork('127.0.0.0/8') })}/films/x/1.m4s`)).response.status).toBe(200)
  // Its key is retired, though it was verified before; then it has expired.
  use({ current: 'k2', keys: { k2: secret(2) } })
  expect((await get(`/v/${good}/films/x/1.m4s`)).code).toBe('token-unknown-key')
  use(KEYS)
  expect((await get(`/v/${good}/films/x/1.m4s`)).response.status).toBe(200)
  passTime(61_000)
  expect((await get(`/v/${good}/films/x/1.m4s`)).code).toBe('token-expired')
  expect(asked.length).toBe(reached)
})

test('a token with any character changed opens nothing', async () => {
  const { get, asked } = open()
  const good = sign()
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_.~'), async (at, character) => {
      fc.pre(good[at] !== character)
      const { response } = await get(`/v/${good.slice(0, at)}${character}${good.slice(at + 1)}/films/x/1.m4s`)
      expect(response.status).toBe(403)
    }),
    { numRuns: 150 },
  )
  expect(asked.length).toBe(0)
})

test('another spelling of a path is the same path to routing, signature and cache, or refused', async () => {
  const { get, asked } = open()
  const token = sign()
  expect((await get(`/v/${token}/films/x/%31.m4s`)).text).toBe('/films/x/1.m4s')
  expect((await get(`/v/${token}/films/x/1.m4s`)).text).toBe('/films/x/1.m4s')
  expect(asked.length).toBe(1)
  for (const path of ['/films/x/%2e%2e/y/1.m4s', '/films/x/..%2fy', '/films/x//y', '/films/x/%5c..%5cy'])
    expect([path, (await get(`/v/${token}${path}`)).response.ok]).toEqual([path, false])
  expect(asked.length).toBe(1)
})

test('tokens are in no key, reach no origin and no other site', async () => {
  const { get, asked, seen } = open()
  const token = sign()
  const address = `/v/${token}/films/x/1.m4s`
  const { response } = await get(address, { referer: `http://here${address}` })
  expect(response.headers.get('referrer-policy')).toBe('no-referrer')
  expect(JSON.stringify(asked)).not.toContain(token)
  expect(JSON.stringify(seen)).not.toContain(token)
  expect(seen).toMatchObject([{ key: expect.stringMatching(/^http:\/\/127.0.0.1:\d+\/films\/x\/1.m4s$/) }])
})
