import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Bed, openBed, TITLE } from './testing/bed.ts'

let bed: Bed
beforeAll(async () => {
  bed = await openBed({ handler: () => new Response('reached a cell') })
})
afterAll(() => bed.close())

const check = async (request: string, status: number): Promise<void> => {
  const before = bed.asked.length
  const answer = await bed.raw(request)
  expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
  expect(answer).not.toContain('<html')
  expect(bed.asked.length).toBe(before)
}

test.each([
  ['/v1/../_media/x/main.m3u8', 400],
  ['/v1/%2e%2e/_media/x/main.m3u8', 400],
  ['/v1\\..\\_media/x/main.m3u8', 400],
  ['/v1/..%2f_media/x', 400],
  ['/v1/%2e%2e%2f_media/x', 400],
  ['/v1//_media/x', 400],
  ['//_media/x', 400],
  ['/v1/x%00', 400],
  ['/v1/x%5c..', 400],
  ['/v1/%252e%252e/x', 400],
  ['/v1/x#y', 400],
  [`/_media/${TITLE}/main.m3u8`, 404],
  [`/_media/${TITLE}/v240/0`, 404],
  ['/%5fmedia/x', 404],
  [`/v/../_media/${TITLE}/main.m3u8`, 400],
  [`/art/${TITLE}/main.m3u8`, 404],
  [`/art/${TITLE}/poster.jpg/../main.m3u8`, 400],
])('GET %s gets %d and no cell hears of it', (path, status) => check(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`, status))

test.each([
  ['two hosts', 'GET /v1/home HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a junk host', 'GET /v1/home HTTP/1.1\r\nHost: a b<>\r\n\r\n'],
  ['a host with a path', 'GET /v1/home HTTP/1.1\r\nHost: a/b?c\r\n\r\n'],
  ['a host with credentials', 'GET /v1/home HTTP/1.1\r\nHost: u:p@a\r\n\r\n'],
  ['an empty host', 'GET /v1/home HTTP/1.1\r\nHost: \r\n\r\n'],
  ['no host', 'GET /v1/home HTTP/1.1\r\n\r\n'],
  ['two lengths', 'POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd'],
  [
    'length and chunks',
    'POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two credentials', 'GET /v1/home HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n'],
])('%s is refused', (_, request) => check(request, 400))

test('CONNECT is refused: this is a gateway, not a tunnel', () =>
  check('CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n', 405))

test('what follows a refusal on a connection is no request of its own', async () => {
  const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: h\r\n\r\n'
  const before = bed.asked.length
  await bed.raw(
    `POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: ${smuggled.length}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  )
  expect(bed.asked.slice(before).filter((line) => line.includes('smuggled'))).toEqual([])
})

test('a plain request still reaches a cell', async () => {
  expect(await bed.raw('GET /v1/home HTTP/1.1\r\nHost: h\r\n\r\n')).toContain('reached a cell')
})
