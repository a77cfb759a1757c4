import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, faultCode } from '../kernel/index.ts'
import { readSite, type Site } from './site.ts'
import { serverRequest, toResponse } from './testing/answers.ts'

const directory = mkdtempSync(join(tmpdir(), 'tentpole-site-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))})`
mkdirSync(join(directory, 'assets'))
writeFileSync(join(directory, 'index.html'), '<!doctype html><title>watch</title>')
writeFileSync(join(directory, 'assets', 'app-1a2b3c4d.js'), SCRIPT)

const site = readSite(directory, DEFAULT_LIMITS) as Site
const get = (path: string, init: RequestInit = {}): Response => toResponse(site(serverRequest(path, init)))

test.each(['/', '/index.html', '/title/0123456789abcdef', '/watch/x', '/search'])('%s is the page', async (path) => {
  const response = get(path)
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-cache'])
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('content-security-policy')).toContain("script-src 'self';")
  expect(await response.text()).toContain('<title>watch</title>')
})

test.each(['/missing.js', '/favicon.ico', '/_media/x', '/_media/x/main.m3u8', '/assets/none-1a2b3c4d.css'])(
  '%s is nothing',
  (path) => expect(get(path).status).toBe(404),
)

test('a hashed asset is immutable, compressed on request, and has a tag for each encoding', async () => {
  const plain = get('/assets/app-1a2b3c4d.js')
  const gzip = get('/assets/app-1a2b3c4d.js', { headers: { 'accept-encoding': 'br, gzip' } })
  expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(await plain.text()).toBe(SCRIPT)
  expect([gzip.headers.get('content-encoding'), gzip.headers.get('vary')]).toEqual(['gzip', 'accept-encoding'])
  expect(Buffer.from(Bun.gunzipSync(await gzip.bytes())).toString()).toBe(SCRIPT)
  expect(gzip.headers.get('etag')).not.toBe(plain.headers.get('etag'))
  expect(
    get('/assets/app-1a2b3c4d.js', { headers: { 'accept-encoding': 'gzip;q=0' } }).headers.has('content-encoding'),
  ).toBe(false)
})

test('conditionals, HEAD and other methods', async () => {
  const etag = get('/').headers.get('etag') ?? ''
  expect(get('/', { headers: { 'if-none-match': etag } }).status).toBe(304)
  const head = get('/', { method: 'HEAD' })
  expect([head.headers.get('content-length'), await head.text()]).toEqual(['35', ''])
  expect(get('/', { method: 'POST' }).status).toBe(405)
})

test('a directory without a page is none yet; one too large is refused', () => {
  expect(readSite(join(directory, 'assets'), DEFAULT_LIMITS)).toBeNull()
  expect(readSite(join(directory, 'none'), DEFAULT_LIMITS)).toBeNull()
  let code = ''
  try {
    readSite(directory, { siteBytesMax: 100 })
  } catch (error) {
    code = faultCode(error)
  }
  expect(code).toBe('site-too-large')
})
