import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseRequestTarget } from './target.ts'
import { type Bed, openBed } from './testing/bed.ts'

type Heard = {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly headers: [string, string][]
}

let bed: Bed
const heard: Heard[] = []
beforeAll(async () => {
  bed = await openBed({
    handler: async (request) => {
      heard.push({
        method: request.method,
        path: request.url.slice('http://cell'.length),
        body: Buffer.from(await request.arrayBuffer()).toString('latin1'),
        headers: [...request.headers],
      })
      return new Response('heard')
    },
  })
})
afterAll(() => bed.close())

const PIECES = [
  'a',
  'Z',
  '0',
  '~',
  '-',
  '.',
  '..',
  '%41',
  '%2e',
  '%2F',
  '%00',
  '%C3%A9',
  '%',
  '/',
  '//',
  '\\',
  ';',
  ':',
  '@',
  ' ',
  '#',
]
const path = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => `/v1/${pieces.join('')}`)
const query = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.constantFrom('a=1', '&', '%26', '+', '?', '/', '%', '='), { maxLength: 5 })
    .map((pieces) => `?${pieces.join('')}`),
)
const fields = fc.array(
  fc.constantFrom(
    'Authorization: Bearer x.y.z',
    'authorization: Basic eA==',
    'Content-Type: application/json',
    'X-Tentpole-Session: forged',
    'x-tentpole-client: 9.9.9.9',
    'Transfer-Encoding: chunked',
    'Content-Length: 3',
    'Content-Length: 4',
    'Content_Length: 9',
    'Connection: close, authorization',
    'User-Agent: a\tb',
    'Accept: */*',
    ' folded: x',
    'Bad Name: x',
  ),
  { maxLength: 5 },
)
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'get', 'FOO']

test('whatever a cell hears of is one request, read by it as the edge read it', async () => {
  let reached = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...METHODS), path, query, fields, async (method, target, search, lines) => {
      heard.length = 0
      const body = lines.some((line) => line.startsWith('Transfer')) ? '3\r\nabc\r\n0\r\n\r\n' : 'abcd'
      const answer = await bed.raw(
        `${method} ${target}${search} HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`,
      )
      expect(heard.length).toBeLessThanOrEqual(1)
      const [one] = heard
      if (!one) return
      reached += 1
      expect(answer).toStartWith('HTTP/1.1 200')
      const read = parseRequestTarget(target + search)
      expect([one.method, one.path]).toEqual([method, `${read?.path}${read?.query}`])
      const length = lines.find((line) => /^Content-Length/.test(line))?.slice(-1)
      const expected =
        method === 'GET'
          ? ''
          : lines.includes('Transfer-Encoding: chunked')
            ? 'abc'
            : 'abcd'.slice(0, Number(length ?? 0))
      expect(one.body).toBe(expected)
      const names = one.headers.map(([name]) => name).filter((name) => name.startsWith('x-') || name.includes('_'))
      expect(names).toEqual(['x-tentpole-client'])
      expect(one.headers.find(([name]) => name === 'x-tentpole-client')?.[1]).toBe('127.0.0.1')
    }),
    { numRuns: 400 },
  )
  expect(reached).toBeGreaterThan(20)
}, 60_000)
