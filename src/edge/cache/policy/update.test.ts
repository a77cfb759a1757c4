import { expect, test } from 'bun:test'
import { currentAgeMs } from './age.ts'
import { decideReuse } from './reuse.ts'
import type { StoredResponse } from './stored.ts'
import { dateAt, type Fields, NOW_MS, OPTIONS, request, response, stored } from './testing.ts'
import { mergeHead, mergeNotModified, selectNotModified } from './update.ts'

const LATER_MS = NOW_MS + 100_000
const LATER = { requestMs: LATER_MS, responseMs: LATER_MS }
const later = { date: dateAt(100) }
const KEPT = {
  etag: '"a"',
  'cache-control': 'max-age=60',
  'content-length': '5',
  'content-type': 'text/plain',
  'x-a': ['1', '2'],
}

const merge = (fields: Fields, kept: StoredResponse = stored(KEPT)) =>
  mergeNotModified({
    stored: kept,
    request: request(),
    response: response({ ...later, ...fields }, 304),
    times: LATER,
    options: OPTIONS,
  })

type Selection = readonly [what: string, candidates: readonly Fields[], notModified: Fields, chosen: readonly number[]]

const LM = { 'last-modified': dateAt(-10) }
const SELECTIONS: readonly Selection[] = [
  ['a strong tag: all that have it', [{ etag: '"a"' }, { etag: '"b"' }, { etag: '"a"' }], { etag: '"a"' }, [0, 2]],
  ['a strong tag that none has', [{ etag: '"b"' }], { etag: '"a"' }, []],
  ['a strong tag, stored weak', [{ etag: 'W/"a"' }], { etag: '"a"' }, []],
  [
    'a weak tag: the newest',
    [
      { etag: 'W/"a"', date: dateAt(-9) },
      { etag: 'W/"a"', date: dateAt(-1) },
    ],
    { etag: 'W/"a"' },
    [1],
  ],
  ['a weak tag, stored strong', [{ etag: '"a"' }], { etag: 'W/"a"' }, [0]],
  ['a strong date: all that have it', [LM, { ...LM }], LM, [0, 1]],
  [
    'a weak date: the newest',
    [
      { ...LM, date: dateAt(-10) },
      { ...LM, date: dateAt(-11) },
    ],
    LM,
    [0],
  ],
  ['another date', [LM], { 'last-modified': dateAt(-20) }, []],
  ['nothing, one candidate', [{}], {}, [0]],
  ['nothing, several candidates', [{}, {}], {}, []],
]

test.each(SELECTIONS)('a 304 with %s', (_what, candidates, notModified, chosen) => {
  const all = candidates.map((fields) => stored(fields))
  const selected = selectNotModified(all, response(notModified, 304))
  expect(selected.map((one) => all.indexOf(one))).toEqual([...chosen])
})

test.each([
  ['content-length', '9', '5'],
  ['content-type', 'text/html', 'text/plain'],
  ['content-encoding', 'gzip', null],
  ['content-range', 'bytes 0-1/2', null],
  ['transfer-encoding', 'chunked', null],
  ['connection', 'x-b', null],
  ['set-cookie', 'a=b', null],
  ['age', '7', null],
  ['x-a', '3', '3'],
  ['x-new', '1', '1'],
  ['etag', '"a"', '"a"'],
])('a 304 with %s: %s leaves %p', (name, value, expected) => {
  expect(merge({ [name]: value }).stored.fields.get(name)).toBe(expected)
})

test('fields that Connection of the 304 lists are not taken', () => {
  expect(merge({ connection: 'x-b', 'x-b': '1' }).stored.fields.get('x-b')).toBeNull()
})

test('it is fresh again, by the new fields and the new times', () => {
  const { stored: updated, keep } = merge({ 'cache-control': 'max-age=5', age: '2' })
  expect(keep.store).toBe(true)
  expect(currentAgeMs(updated, LATER_MS)).toBe(2_000)
  const reuse = (nowMs: number) => decideReuse({ stored: updated, request: request(), nowMs, options: OPTIONS }).kind
  expect([reuse(LATER_MS + 2_999), reuse(LATER_MS + 3_000)]).toEqual(['fresh', 'validate'])
  expect(updated.status).toBe(200)
})

test('a 304 without Date does not leave the old one', () => {
  const { stored: updated } = merge({ date: '' })
  expect(updated.fields.get('date')).toBe(dateAt(100))
  expect(updated.initialAgeMs).toBe(0)
})

test.each(['no-store', 'private'])('a 304 with %s ends the keeping', (cacheControl) => {
  expect(merge({ 'cache-control': cacheControl }).keep.store).toBe(false)
})

test('fields that a 304 makes private go', () => {
  const { stored: updated, keep } = merge({ 'cache-control': 'max-age=9, private="x-a"' })
  expect([keep.store, updated.fields.get('x-a')]).toEqual([true, null])
})

type Head = readonly [what: string, fields: Fields, kind: 'updated' | 'invalidated' | undefined, status?: number]

const HEADS: readonly Head[] = [
  ['the same tag and length', { etag: '"a"', 'content-length': '5' }, 'updated'],
  ['nothing to compare', {}, 'updated'],
  ['another tag', { etag: '"b"' }, 'invalidated'],
  ['another length', { etag: '"a"', 'content-length': '6' }, 'invalidated'],
  ['a date that was not there', { 'last-modified': dateAt(-1) }, 'invalidated'],
  ['a 404', { etag: '"a"' }, undefined, 404],
]

test.each(HEADS.map((one) => [one[0], one] as const))('a HEAD with %s', (_what, [, fields, kind, status]) => {
  const kept = stored(KEPT)
  const head = response({ ...later, 'x-new': '1', ...fields }, status ?? 200)
  const merged = mergeHead({
    stored: kept,
    request: request({}, 'HEAD'),
    response: head,
    times: LATER,
    options: OPTIONS,
  })
  expect(merged?.kind).toBe(kind)
  if (!merged) return
  expect(merged.stored.method).toBe('GET')
  const reused = decideReuse({ stored: merged.stored, request: request(), nowMs: LATER_MS, options: OPTIONS })
  expect(reused.kind).toBe(kind === 'updated' ? 'fresh' : 'validate')
  expect(merged.stored.fields.get('x-new')).toBe(kind === 'updated' ? '1' : null)
})
