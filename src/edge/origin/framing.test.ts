import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FieldLine } from '../http/message.ts'
import { createRequestFramer, frameRequest, toFieldText, toRequestHead } from './framing.ts'

const anyLine = fc.tuple(
  fc.oneof(fc.constantFrom('host', 'content-length', 'transfer-encoding', 'x-a'), fc.string()),
  fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('1', 'chunked', 'a\r\nb: c', 'a\nb', 'a\0b')),
)

test('no line that leaves can hold another line; one host, one framing', () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 6 }), fc.string(), fc.string(), (lines, method, path) => {
      const request = { method, path, lines: lines as readonly FieldLine[], body: new Uint8Array(2) }
      for (const framed of [frameRequest(request, 'a'), frameRequest({ ...request, method: 'PUT', path: '/' }, 'a')]) {
        if (!framed.ok) continue
        const names = framed.flatLines.filter((_, at) => at % 2 === 0)
        expect(names.filter((name) => name === 'host').length).toBe(1)
        expect(names.filter((name) => name === 'content-length').length).toBe(1)
        expect(names).not.toContain('transfer-encoding')
        expect(framed.flatLines.join('')).not.toMatch(/[\r\n\0]/)
        const head = Buffer.from(toRequestHead({ method: 'GET', path: '/' }, toFieldText(framed.flatLines))).toString(
          'latin1',
        )
        expect(head.split('\r\n').length).toBe(framed.flatLines.length / 2 + 3)
      }
    }),
  )
})

const REQUESTS: readonly [name: string, request: Partial<Parameters<typeof frameRequest>[0]>, expected: string][] = [
  ['GET', {}, 'host: o'],
  ['POST without content', { method: 'POST' }, 'host: o, content-length: 0'],
  ['a host of the caller', { lines: [['host', 'a']] }, 'host: a'],
  [
    'two hosts',
    {
      lines: [
        ['host', 'a'],
        ['host', 'b'],
      ],
    },
    'refused',
  ],
  ['a path that is none', { path: 'http://a/' }, 'refused'],
  ['a tunnel', { method: 'CONNECT' }, 'refused'],
  ['a space in the path', { path: '/a b' }, 'refused'],
  ['OPTIONS *', { method: 'OPTIONS', path: '*' }, 'host: o'],
  [
    'Expect and Upgrade',
    {
      lines: [
        ['expect', '100-continue'],
        ['upgrade', 'x'],
      ],
    },
    'host: o',
  ],
]
for (const [name, request, expected] of REQUESTS)
  test(`request lines: ${name}`, () => {
    const framed = frameRequest({ method: 'GET', path: '/', lines: [], body: null, ...request }, 'o')
    const text = framed.ok
      ? framed.flatLines.map((each, at) => (at % 2 ? `${each}, ` : `${each}: `)).join('')
      : 'refused, '
    expect(text.slice(0, -2)).toBe(expected)
  })

test('lines that come again are framed as they were, under whichever path, and never without being looked at', () => {
  const frame = createRequestFramer('o')
  const lines: FieldLine[] = [['accept', '*/*']]
  const headOf = (path: string): string => {
    const framed = frame({ method: 'GET', path, lines, body: null })
    return framed.ok ? Buffer.from(framed.head).toString('latin1') : framed.why
  }
  expect(headOf('/a')).toBe('GET /a HTTP/1.1\r\nhost: o\r\naccept: */*\r\n\r\n')
  expect(headOf('/b')).toBe('GET /b HTTP/1.1\r\nhost: o\r\naccept: */*\r\n\r\n')
  expect(headOf('/b\r\nx: y')).toContain('expected origin-form')
  expect(frame({ method: 'POST', path: '/b', lines, body: null })).toMatchObject({ ok: true, lengthBytes: 0 })
  const faulty: FieldLine[] = [['accept', 'a\r\nb']]
  for (let again = 0; again < 2; again += 1)
    expect(frame({ method: 'GET', path: '/', lines: faulty, body: null }).ok).toBe(false)
})
