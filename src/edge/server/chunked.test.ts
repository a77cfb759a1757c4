import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { type ChunkedLimits, createChunkedDecoder } from './chunked.ts'

type Outcome = { readonly text: string; readonly done: boolean; readonly rest: string } | string

/** What a decoder makes of the pieces: the code of its refusal, or the data and what it left. */
function decode(pieces: readonly Uint8Array[], limits: ChunkedLimits = DEFAULT_LIMITS): Outcome {
  const decoder = createChunkedDecoder(limits)
  const data: Uint8Array[] = []
  let rest = ''
  let done = false
  for (const piece of pieces) {
    const read = decoder.push(piece)
    if (!read.ok) return read.problem.code
    data.push(...read.data)
    rest += Buffer.from(piece.subarray(read.consumed)).toString('latin1')
    done = read.done
  }
  return { text: Buffer.concat(data).toString('latin1'), done, rest }
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const oneByOne = (bytes: Buffer): Buffer[] => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
const check = (text: string, expected: Outcome, limits?: ChunkedLimits): void => {
  expect(decode([bytesOf(text)], limits)).toEqual(expected)
  expect(decode(oneByOne(bytesOf(text)), limits)).toEqual(expected)
}
const END = '0\r\n\r\n'

describe('chunks (RFC 9112, 7.1)', () => {
  test.each([
    [END, '', ''],
    [`3\r\nabc\r\n${END}`, 'abc', ''],
    [`3\r\nabc\r\n2\r\n\r\n\r\n${END}`, 'abc\r\n', ''],
    [`A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n`, '01234567890123456789', ''],
    [`1\r\na\r\n${END}GET / HTTP/1.1`, 'a', 'GET / HTTP/1.1'],
    [`1;a;b=c;d="e;\\"\\\\ f"\r\na\r\n0;x\r\n\r\n`, 'a', ''],
    ['1\r\na\r\n0\r\nX: y\r\nDigest:\r\n\r\nrest', 'a', 'rest'],
  ])('%j', (text, data, rest) => check(text, { text: data, done: true, rest }))

  test.each([
    '\r\n',
    ' 1\r\na',
    '1 \r\na',
    '1\t\r\na',
    '1 ;a\r\na',
    '1; a\r\na',
    '1;\r\na',
    '1;a=\r\na',
    '1;a="b\r\na',
    '1;a\0\r\na',
    '1\na\n0\n\n',
    '1\r\r\na',
    '1;a\rb\r\na',
    '1;a\nb\r\na',
    '+1\r\na',
    '-1\r\na',
    '0x1\r\na',
    '1_0\r\na',
    'g\r\na',
    '1,1\r\na',
    '\x00\r\na',
    '000000000000001\r\na',
    '1\r\nab\r\n0\r\n\r\n',
    '1\r\na\n\n0\r\n\r\n',
    '1\r\na0\r\n\r\n',
    '2\r\na\r\n0\r\n\r\n',
  ])('%j is refused', (text) => check(text, 'chunk-malformed'))

  test.each([
    'X\r\n\r\n',
    ' X: y\r\n\r\n',
    'X : y\r\n\r\n',
    ': y\r\n\r\n',
    'X: \0\r\n\r\n',
    'X: a\nY: b\r\n\r\n',
    'X: a\r\n b\r\n\r\n',
    '\n',
  ])('trailer %j is refused (RFC 9112, 7.1.2)', (text) => check(`0\r\n${text}`, 'trailer-malformed'))
})

describe('limits', () => {
  const limits: ChunkedLimits = { edgeBodyBytesMax: 10, edgeHeadBytesMax: 300, edgeFieldsMax: 2 }
  test('content as long as may be, and longer', () => {
    check(`4\r\nabcd\r\n6\r\nefghij\r\n${END}`, { text: 'abcdefghij', done: true, rest: '' }, limits)
    check(`4\r\nabcd\r\n7\r\nefghijk\r\n${END}`, 'content-too-large', limits)
    check('b\r\n', 'content-too-large', limits)
    for (const size of ['20000000000000', '20000000000001', 'ffffffffffffff']) check(`${size}\r\n`, 'content-too-large')
  })
  test('a size that is no exact number, whatever the limit', () => {
    const unlimited = { ...limits, edgeBodyBytesMax: Number.POSITIVE_INFINITY }
    check('20000000000000\r\n', 'content-too-large', unlimited)
    check('1fffffffffffff\r\nx', { text: 'x', done: false, rest: '' }, unlimited)
  })
  test('a line with extensions, and all of them together', () => {
    check(`1;${'x'.repeat(252)}\r\na\r\n${END}`, { text: 'a', done: true, rest: '' }, limits)
    check(`1;${'x'.repeat(253)}\r\na\r\n${END}`, 'chunk-extensions-too-long', limits)
    check('1'.repeat(400), 'chunk-extensions-too-long', limits)
    check(`1;${'x'.repeat(200)}\r\na\r\n1;${'x'.repeat(200)}\r\na\r\n`, 'chunk-extensions-too-long', limits)
  })
  test('trailers: how many, how long', () => {
    check('0\r\nA: b\r\nC: d\r\n\r\n', { text: '', done: true, rest: '' }, limits)
    check('0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n', 'fields-too-many', limits)
    check(`0\r\nA: ${'b'.repeat(100)}\r\nC: ${'d'.repeat(200)}`, 'head-too-large', limits)
    check(`0\r\nA: ${'b'.repeat(100)}\r\nC: ${'d'.repeat(200)}\r\n\r\n`, 'head-too-large', limits)
  })
  test('what does not end is refused once it is too long, however much comes at once', () => {
    check('0\r\n'.padEnd(100_000, 'x'), 'head-too-large', limits)
    check(''.padEnd(100_000, '0'), 'chunk-extensions-too-long', limits)
  })
})

test('data are views of what was pushed', () => {
  const bytes = bytesOf(`3\r\nabc\r\n${END}`)
  const read = createChunkedDecoder(DEFAULT_LIMITS).push(bytes)
  expect(read.ok && read.data[0]?.buffer).toBe(bytes.buffer)
})

test('after a refusal it refuses, after the end it takes nothing', () => {
  const refused = createChunkedDecoder(DEFAULT_LIMITS)
  expect(refused.push(bytesOf('x\r\n')).ok).toBe(false)
  expect(refused.push(bytesOf(END)).ok).toBe(false)
  const ended = createChunkedDecoder(DEFAULT_LIMITS)
  ended.push(bytesOf(END))
  expect(ended.push(bytesOf(END))).toEqual({ ok: true, data: [], done: true, consumed: 0 })
})

describe('properties', () => {
  const content = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 8 })
  const cuts = fc.array(fc.nat(300), { maxLength: 12 })
  const encode = (chunks: readonly Uint8Array[]): Buffer =>
    Buffer.concat([
      ...chunks.flatMap((chunk) => [bytesOf(`${chunk.length.toString(16)}\r\n`), chunk, bytesOf('\r\n')]),
      bytesOf(`${END}NEXT`),
    ])
  const split = (bytes: Buffer, at: readonly number[]): Buffer[] => {
    const edges = [0, ...at.filter((edge) => edge < bytes.length).sort((a, b) => a - b), bytes.length]
    return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
  }

  test('content split anywhere is the same content, and the next request is left alone', () => {
    fc.assert(
      fc.property(content, cuts, (chunks, at) => {
        const expected = { text: Buffer.concat(chunks).toString('latin1'), done: true, rest: 'NEXT' }
        expect(decode(split(encode(chunks), at))).toEqual(expected)
      }),
    )
  })
  test('octets changed anywhere: never a throw, never another outcome for another split, never more data than bytes', () => {
    fc.assert(
      fc.property(
        content,
        cuts,
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
        (chunks, at, changes) => {
          const bytes = encode(chunks)
          for (const [place, octet] of changes) bytes[place % bytes.length] = octet
          const whole = decode([bytes])
          expect(decode(split(bytes, at))).toEqual(whole)
          if (typeof whole !== 'string') expect(whole.text.length).toBeLessThan(bytes.length)
        },
      ),
      { numRuns: 1000 },
    )
  })
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decode(oneByOne(Buffer.from(bytes)))).toEqual(decode([bytes]))
      }),
    )
  })
})
