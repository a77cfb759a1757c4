import { expect, test } from 'bun:test'
import { decideCombine, toWholeHead } from './partial.ts'
import { dateAt, NOW_MS, OPTIONS, request, response, stored, TIMES } from './testing.ts'
import { mergePartial } from './update.ts'

const PART = { etag: '"a"', 'content-range': 'bytes 0-9/100', 'content-length': '10', 'cache-control': 'max-age=9' }
const whole = () => toWholeHead(response(PART, 206))?.head ?? response()

test('a part is kept under the head of the whole', () => {
  const { head, part } = toWholeHead(response(PART, 206)) ?? {}
  expect(part).toEqual({ start: 0, end: 10, sizeBytes: 100 })
  expect(head?.status).toBe(200)
  expect([head?.fields.get('content-range'), head?.fields.get('content-length')]).toEqual([null, '100'])
  expect(toWholeHead(response(PART, 200))).toBeNull()
})

test.each([
  ['the next part', { 'content-range': 'bytes 10-19/100' }, 206, true],
  ['another tag', { 'content-range': 'bytes 10-19/100', etag: '"b"' }, 206, false],
  ['a weak tag', { 'content-range': 'bytes 10-19/100', etag: 'W/"a"' }, 206, false],
  ['no tag', { 'content-range': 'bytes 10-19/100', etag: '' }, 206, false],
  ['another size', { 'content-range': 'bytes 10-19/101' }, 206, false],
  ['no known size', { 'content-range': 'bytes 10-19/*' }, 206, false],
  ['another unit', { 'content-range': 'items 10-19/100' }, 206, false],
  ['a last byte before the first', { 'content-range': 'bytes 19-10/100' }, 206, false],
  ['a last byte behind the end', { 'content-range': 'bytes 90-100/100' }, 206, false],
  ['a whole', {}, 200, false],
] as const)('%s combines: %p', (_what, fields, status, expected) => {
  expect(decideCombine(whole(), response({ ...PART, ...fields }, status)).combine).toBe(expected)
})

test('two that only share a date do not combine', () => {
  const dated = { 'last-modified': dateAt(-100), 'content-length': '100' }
  expect(decideCombine(response(dated), response({ ...dated, 'content-range': 'bytes 0-9/100' }, 206)).combine).toBe(
    false,
  )
})

test('the newest part brings the fields, but not those of its own bytes', () => {
  const kept = stored({ etag: '"a"', 'cache-control': 'max-age=9', 'content-length': '100', 'x-a': '1' })
  const next = response({ ...PART, 'content-range': 'bytes 10-19/100', 'x-a': '2' }, 206)
  const { stored: updated } = mergePartial({
    stored: kept,
    request: request(),
    response: next,
    times: TIMES,
    options: OPTIONS,
  })
  expect(['x-a', 'content-length', 'content-range'].map((name) => updated.fields.get(name))).toEqual(['2', '100', null])
  expect(updated.times.responseMs).toBe(NOW_MS)
})
