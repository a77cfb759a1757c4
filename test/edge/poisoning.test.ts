import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { type AttackBed, answer, openAttackBed } from './bed.ts'
import { ask, send, statusOf } from './raw-client.ts'
import type { Seen } from './raw-origin.ts'

/** Tells everybody all it was sent, and lets it be kept: whatever is not in the key would be everyone's. */
const reflect = ({ head, body }: Seen): string[] => [answer(`${head}\n${body}`, 'Cache-Control: max-age=60\r\n')]
/** Knows each of its users by a cookie, and says that what it tells them is theirs. */
const personal = ({ head }: Seen): string[] => {
  const user = /^cookie: *user=(\w+)/im.exec(head)?.[1] ?? 'nobody'
  return [answer(`secret of ${user}`, 'Cache-Control: private\r\nContent-Type: text/css\r\n')]
}

let reflecting: AttackBed
let accounts: AttackBed
let path = ''
let tests = 0
beforeAll(async () => {
  reflecting = await openAttackBed(reflect)
  accounts = await openAttackBed(personal)
})
afterAll(async () => {
  await reflecting.close()
  await accounts.close()
})
beforeEach(() => {
  path = `/page-${tests++}`
})

const linesOf = (bed: AttackBed): string[] => bed.origin.seen.map(({ line }) => line)

/** By which an origin, or a framework in it, is made to see another address or method than was asked for. */
const UNKEYED: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-Host', 'evil.test'],
  ['X-Forwarded-Proto', 'evil'],
  ['X-Forwarded-Scheme', 'evil'],
  ['X-Forwarded-Port', '666'],
  ['X-Forwarded-Server', 'evil.test'],
  ['X-Forwarded-Prefix', '/evil'],
  ['X-Forwarded-Path', '/evil'],
  ['X-Forwarded-Uri', '/evil'],
  ['X-Forwarded-Method', 'EVIL'],
  ['X-Forwarded-Ssl', 'evil'],
  ['X-Host', 'evil.test'],
  ['X-Original-Host', 'evil.test'],
  ['X-Original-URL', '/evil'],
  ['X-Rewrite-URL', '/evil'],
  ['Forwarded', 'host=evil.test'],
  ['X-HTTP-Method-Override', 'EVIL'],
  ['X-HTTP-Method', 'EVIL'],
  ['X-Method-Override', 'EVIL'],
  ['Front-End-Https', 'evil'],
  // Becomes HTTP_PROXY in the environment of a CGI program (CVE-2016-5385).
  ['Proxy', 'http://evil.test'],
  // The same names as some origins read them: in CGI and WSGI "-" and "_" are one (RFC 3875, 4.1.18).
  ['X_Forwarded_Host', 'evil.test'],
  ['X_Original_URL', '/evil'],
  ['X-Forwarded_Prefix', '/evil'],
]
test.each(UNKEYED)('%s of one is nothing that another is told', async (name, value) => {
  await ask(reflecting.port, path, { [name]: value })
  const { head, body } = await ask(reflecting.port, path)
  expect(head).toMatch(/^cache-status: tentpole; hit/im)
  expect(body.toLowerCase()).not.toContain(value.toLowerCase())
  expect(reflecting.origin.seen.at(-1)?.head.toLowerCase()).not.toContain(value.toLowerCase())
})

test('content of a GET is not what everyone is answered', async () => {
  const attack = `GET ${path} HTTP/1.1\r\nHost: edge.test\r\nContent-Length: 4\r\n\r\nevil`
  await send(reflecting.port, attack, 1)
  expect((await ask(reflecting.port, path)).body).not.toContain('evil')
})

test('a range, a condition or a HEAD of one leaves the whole for all others', async () => {
  await ask(reflecting.port, path, { range: 'bytes=0-3' })
  await ask(reflecting.port, path, { 'if-none-match': '"evil"' })
  await send(reflecting.port, `HEAD ${path} HTTP/1.1\r\nHost: edge.test\r\nConnection: close\r\n\r\n`)
  const { line, body } = await ask(reflecting.port, path)
  expect(line).toContain('200')
  expect(body).toStartWith(`GET ${path} HTTP/1.1`)
  expect(body).not.toContain('evil')
})

const OTHER_HOSTS = ['edge.test:8080', 'edge.test:81', 'evil.test', 'edge.test.evil.test', '127.0.0.1', '[::1]']
test.each(OTHER_HOSTS)('what the host %s was answered is no answer for another', async (host) => {
  await ask(reflecting.port, path, { host })
  const { head, body } = await ask(reflecting.port, path)
  expect(head).not.toMatch(/^cache-status: tentpole; hit/im)
  expect(body).toMatch(/^host: edge\.test$/im)
})

const SAME_HOSTS = ['EDGE.test', 'edge.test:80']
test.each(SAME_HOSTS)('%s is the same host, and the origin is told its one form', async (host) => {
  const first = await ask(reflecting.port, path, { host })
  expect(first.body.match(/^host: .*$/gim)).toEqual(['host: edge.test'])
  expect((await ask(reflecting.port, path)).head).toMatch(/^cache-status: tentpole; hit/im)
})

test('the origin is told the address a client has, whatever the client says', async () => {
  await ask(reflecting.port, path, { 'x-forwarded-for': '10.9.8.7', connection: 'x-forwarded-for' })
  expect(reflecting.origin.seen.at(-1)?.head).toMatch(/^x-forwarded-for: .*127\.0\.0\.1$/im)
})

/** Addresses that some hop could take for `/account`: none is made into another one, and each has an entry of its own. */
const SUFFIXES = [
  '',
  '/',
  ';.css',
  '/x.css',
  '.css',
  '%3B.css',
  '%3Fx.css',
  '%23x.css',
  '%20',
  '?x.css',
  '?',
  '/%7Ex.css',
]
test.each(SUFFIXES)(
  'what a user is told under /account%s is told to nobody else: only the origin says what may be kept',
  async (suffix) => {
    const victim = await ask(accounts.port, `/account${suffix}`, { cookie: 'user=alice' })
    expect(victim.body).toBe('secret of alice')
    const thief = await ask(accounts.port, `/account${suffix}`)
    expect(thief.body).toBe('secret of nobody')
  },
)

test('two addresses are one only if the RFC says so', async () => {
  const apart = ['', '/', ';a', '/a.css', '%3Ba', '?', '?a', '?b&a', '?a&b', '?A', '%20'].map(
    (suffix) => `${path}${suffix}`,
  )
  for (const each of apart) await ask(reflecting.port, each)
  for (const each of apart) {
    const { head, body } = await ask(reflecting.port, each)
    expect(head).toMatch(/^cache-status: tentpole; hit/im)
    expect(body).toStartWith(`GET ${each} HTTP/1.1`)
  }
  // RFC 3986, 6.2.2: an unreserved character is the same with and without its encoding, and so is the case of hex digits.
  expect((await ask(reflecting.port, `/%70${path.slice(2)}%3ba`)).head).toMatch(/^cache-status: tentpole; hit/im)
})

test('credentials: what was answered to who has some is not given to who has none', async () => {
  await ask(reflecting.port, path, { authorization: 'Bearer alice' })
  const { head, body } = await ask(reflecting.port, path)
  expect(head).not.toMatch(/^cache-status: tentpole; hit/im)
  expect(body).not.toContain('alice')
})

test('an absolute address is the same as its path, and cannot bring another one in', async () => {
  const attack = `GET http://edge.test${path} HTTP/1.1\r\nHost: edge.test\r\n\r\n`
  await send(reflecting.port, attack, 1)
  expect((await ask(reflecting.port, path)).head).toMatch(/^cache-status: tentpole; hit/im)
  expect(linesOf(reflecting).filter((line) => line.includes('http://'))).toEqual([])
})

test('what the edge refuses leaves nothing behind for others', async () => {
  const { answers } = await send(
    reflecting.port,
    `GET ${path} HTTP/1.1\r\nHost: edge.test\r\nX: ${'y'.repeat(30_000)}\r\n\r\n`,
    1,
  )
  expect(statusOf(answers[0])).toBeGreaterThanOrEqual(400)
  expect((await ask(reflecting.port, path)).line).toContain('200')
})
