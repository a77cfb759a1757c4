import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { endToEndLines } from './hop-by-hop.ts'
import type { FieldLine } from './message.ts'

const kept = (names: readonly string[], connection: string | null): string[] =>
  endToEndLines(
    names.map((name): FieldLine => [name, 'x']),
    connection,
  ).map(([name]) => name)

const NAMES = ['accept', 'x-a', 'connection', 'x-b', 'cache-control', 'te']

test.each<[string | null, string[]]>([
  [null, ['accept', 'x-a', 'x-b', 'cache-control']],
  ['close', ['accept', 'x-a', 'x-b', 'cache-control']],
  ['keep-alive', ['accept', 'x-a', 'x-b', 'cache-control']],
  ['X-A', ['accept', 'x-b', 'cache-control']],
  ['close,, x-a ,\tX-B', ['accept', 'cache-control']],
  ['Cache-Control, x-a', ['accept', 'x-b', 'cache-control']],
  ['@@, x-a;q=1, "x-b"', ['accept', 'x-a', 'x-b', 'cache-control']],
  ['"x, x-a', ['accept', 'x-b', 'cache-control']],
])('Connection: %p', (connection, expected) => expect(kept(NAMES, connection)).toEqual(expected))

test.each([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
])('%s goes no further, listed or not', (name) => {
  expect(kept([name], null)).toEqual([])
  expect(kept([name], name)).toEqual([])
})

test.each([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'x-forwarded-for',
  'cache-control',
  'expires',
  'date',
  'age',
  'vary',
  'etag',
  'range',
  'if-none-match',
])('%s cannot be taken away by a peer', (name) => expect(kept([name], `close, ${name.toUpperCase()}`)).toEqual([name]))

test('repeated lines keep their order and values', () => {
  const lines: FieldLine[] = [
    ['set-cookie', 'a=1'],
    ['x-a', '1'],
    ['set-cookie', 'b=2'],
  ]
  expect(endToEndLines(new Map([['x-a', '1']]), null)).toEqual([['x-a', '1']])
  expect(endToEndLines(lines, 'x-a')).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
})

test('whatever Connection says, framing and caching stay, hop-by-hop goes', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...NAMES, 'host', 'content-length'), fc.string())), (listed) => {
      const left = kept([...NAMES, 'host', 'content-length'], listed.join(','))
      for (const name of ['cache-control', 'host', 'content-length']) expect(left).toContain(name)
      for (const name of ['connection', 'te']) expect(left).not.toContain(name)
    }),
  )
})
