import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { multipartBytes } from './multipart.ts'

const options = {
  boundary: 'THIS_STRING_SEPARATES',
  contentType: 'application/pdf',
  sizeBytes: 8000,
  ranges: [
    { start: 500, end: 1000 },
    { start: 7000, end: 8000 },
  ],
}

test('the framing of RFC 9110, 15.3.7.2', () => {
  const { contentType, parts, tail } = multipartBytes(options)
  expect(contentType).toBe('multipart/byteranges; boundary=THIS_STRING_SEPARATES')
  const text = [...parts.map(({ head }) => head), tail].map((bytes) => Buffer.from(bytes).toString()).join('<bytes>')
  expect(text.split('\r\n')).toEqual([
    '--THIS_STRING_SEPARATES',
    'Content-Type: application/pdf',
    'Content-Range: bytes 500-999/8000',
    '',
    '<bytes>',
    '--THIS_STRING_SEPARATES',
    'Content-Type: application/pdf',
    'Content-Range: bytes 7000-7999/8000',
    '',
    '<bytes>',
    '--THIS_STRING_SEPARATES--',
    '',
  ])
})

test('without a type there is no line for it; a character above ASCII is one byte', () => {
  const none = multipartBytes({ ...options, contentType: null })
  expect(none.parts.map(({ head }) => Buffer.from(head).toString()).join()).not.toContain('Content-Type')
  const latin = multipartBytes({ ...options, contentType: 'text/x; a="\u00fc"' })
  expect(latin.parts[0]?.head.filter((byte) => byte === 0xfc)).toHaveLength(1)
})

test.each([
  [{ boundary: '' }, 'A boundary is'],
  [{ boundary: 'a\r\nb' }, 'A boundary is'],
  [{ boundary: 'a'.repeat(71) }, 'A boundary is'],
  [{ contentType: 'a/b\r\nx: y' }, 'A content type is one line'],
])('%p is refused', (changes, message) => expect(() => multipartBytes({ ...options, ...changes })).toThrow(message))

test('the length is the sum of what is sent', () => {
  const range = fc
    .tuple(fc.nat(), fc.integer({ min: 1, max: 1e6 }))
    .map(([start, more]) => ({ start, end: start + more }))
  fc.assert(
    fc.property(fc.array(range, { minLength: 2, maxLength: 8 }), fc.boolean(), (ranges, typed) => {
      const made = multipartBytes({ ...options, ranges, contentType: typed ? 'video/mp4' : null })
      const framing = made.parts.reduce((sum, { head }) => sum + head.byteLength, made.tail.byteLength)
      const content = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
      expect(made.lengthBytes).toBe(framing + content)
    }),
  )
})
