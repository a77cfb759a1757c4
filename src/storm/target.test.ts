import { expect, test } from 'bun:test'
import { describeError, faultCode } from '../kernel/index.ts'
import { TEST_CERTIFICATE, TEST_KEY } from './http/tls.fixture.ts'
import { addressUrl, checkTarget } from './target.ts'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'staging.example': ['192.0.2.7'],
  'mixed.example': ['127.0.0.1', '192.0.2.7'],
  'rebound.example': ['127.0.0.1'],
  'empty.example': [],
}
const resolve = async (host: string): Promise<readonly string[]> => {
  const found = NAMES[host]
  if (!found) throw new Error(`no such name: ${host}`)
  return found
}
const check = (url: string, iOwnThisTarget?: string): Promise<unknown> =>
  checkTarget(url, { resolve, iOwnThisTarget }).catch((error: unknown) => faultCode(error))

const accepted: [url: string, address: string, port: number, url: string][] = [
  ['http://localhost:8080', '127.0.0.1', 8080, 'http://127.0.0.1:8080'],
  ['http://localhost:8080/', '127.0.0.1', 8080, 'http://127.0.0.1:8080'],
  ['http://127.0.0.1', '127.0.0.1', 80, 'http://127.0.0.1:80'],
  ['http://127.9.9.9:1', '127.9.9.9', 1, 'http://127.9.9.9:1'],
  ['http://[::1]:9', '::1', 9, 'http://[::1]:9'],
  ['http://[::ffff:127.0.0.1]:9', '::ffff:7f00:1', 9, 'http://[::ffff:7f00:1]:9'],
  ['http://rebound.example:1', '127.0.0.1', 1, 'http://127.0.0.1:1'],
  ['https://localhost', '127.0.0.1', 443, 'https://localhost'],
]
for (const [url, address, port, seen] of accepted)
  test(`${url} is this machine`, async () => {
    expect(await check(url)).toMatchObject({ address, port, url: seen, isLoopback: true })
  })

const refused: [url: string, code: string, owned?: string][] = [
  ['http://staging.example', 'target-not-loopback'],
  ['http://mixed.example', 'target-not-loopback'],
  ['http://192.0.2.7', 'target-not-loopback'],
  ['http://0.0.0.0', 'target-not-loopback'],
  ['http://[2001:db8::1]', 'target-not-loopback'],
  ['http://[::ffff:192.0.2.7]', 'target-not-loopback'],
  ['http://staging.example', 'target-not-loopback', 'production.example'],
  ['http://staging.example', 'target-not-loopback', 'example'],
  ['http://staging.example', 'target-not-loopback', '192.0.2.7'],
  ['http://nowhere.example', 'target-unknown'],
  ['http://empty.example', 'target-unknown'],
  ['http://me:secret@localhost', 'target-invalid'],
  ['http://me@localhost', 'target-invalid'],
  ['ftp://localhost', 'target-invalid'],
  ['file:///etc/passwd', 'target-invalid'],
  ['http://localhost/app', 'target-invalid'],
  ['http://localhost/?a=1', 'target-invalid'],
  ['localhost:8080', 'target-invalid'],
  ['', 'target-invalid'],
]
for (const [url, code, owned] of refused)
  test(`${url || 'nothing'}${owned ? `, owning ${owned},` : ''} is refused`, async () => {
    expect(await check(url, owned)).toBe(code)
  })

test('who names the very host may storm it, at the address that was checked', async () => {
  expect(await check('https://Staging.example:8443', 'staging.EXAMPLE')).toEqual({
    url: 'https://staging.example:8443',
    host: 'staging.example',
    hostHeader: 'staging.example:8443',
    address: '192.0.2.7',
    port: 8443,
    tls: true,
    isLoopback: false,
    certificateAuthority: null,
  })
  expect(await check('http://mixed.example', 'mixed.example')).toMatchObject({ isLoopback: false })
})

const PEM = TEST_CERTIFICATE
const BROKEN = PEM.replace(/\n[A-Za-z0-9+/=]+/, '\nAAAA')
const authorities: [what: string, url: string, pem: string, told: string | null][] = [
  ['one certificate', 'https://localhost', PEM, null],
  ['several, with words between', 'https://localhost', `ours:\n${PEM}\nand theirs:\n${PEM}`, null],
  ['a key', 'https://localhost', TEST_KEY, 'BEGIN CERTIFICATE'],
  ['nothing', 'https://localhost', '', 'BEGIN CERTIFICATE'],
  ['a broken one among them', 'https://localhost', PEM + BROKEN, 'number 2 of 2'],
  ['one for a target without TLS', 'http://localhost', PEM, 'http target'],
]
for (const [what, url, certificateAuthority, told] of authorities)
  test(`certificate authorities: ${what}: ${told === null ? 'taken' : 'refused'}`, async () => {
    const checked = checkTarget(url, { resolve, certificateAuthority })
    if (told === null) expect(await checked).toMatchObject({ certificateAuthority })
    else {
      const error = await checked.catch((refusal: unknown) => refusal)
      expect(faultCode(error)).toBe('certificate-authority-invalid')
      expect(describeError(error)).toContain(told)
    }
  })

test('the address to connect to, as a URL', () => {
  expect(addressUrl({ address: '192.0.2.7', port: 8443, tls: true })).toBe('https://192.0.2.7:8443')
  expect(addressUrl({ address: '::1', port: 9, tls: false })).toBe('http://[::1]:9')
})

test('the refusal says what to do, and a password is never repeated', async () => {
  const said = async (url: string): Promise<string> =>
    describeError(await checkTarget(url, { resolve }).catch((e) => e))
  expect(await said('http://staging.example')).toContain('--i-own-this-target staging.example')
  expect(await said('http://me:secret@localhost')).not.toContain('secret')
})

test('"localhost" is found by the system', async () => {
  expect((await checkTarget('http://localhost:1')).isLoopback).toBe(true)
})
