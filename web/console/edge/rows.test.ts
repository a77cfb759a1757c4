import { expect, test } from 'bun:test'
import type { EdgeTopObject } from '../../../src/contracts/index.ts'
import type { EdgeColumn } from '../route.ts'
import {
  type Selected,
  selectRows,
  sortOutcomes,
  type TallyRow,
  type TitleNames,
  toObjectRows,
  toTitleRows,
} from './rows.ts'

const TITLES: TitleNames = new Map([
  ['t1', { id: 't1', name: 'Big Buck Bunny' }],
  ['t2', { id: 't2', name: 'Aniara' }],
])
const tally = (requests: number, hits: number, misses: number, bytes: number) => ({
  ...{ requests, hits, misses, bytes, stale: 0 },
})
const TAGS = [
  { name: 't1', ...tally(10, 9, 1, 50) },
  { name: 't2', ...tally(5, 5, 0, 100) },
  { name: 'trailers', ...tally(7, 0, 0, 7) },
  { name: 'other', ...tally(1, 0, 1, 1) },
]
const keysOf = ({ rows }: Selected<TallyRow>): string => rows.map(({ key }) => key).join(' ')

test('a tag is called by the name of its title, where it is one', () => {
  const rows = toTitleRows(TAGS, TITLES)
  expect(rows.map(({ title, detail }) => [title?.name ?? null, detail])).toEqual([
    ['Big Buck Bunny', 't1'],
    ['Aniara', 't2'],
    [null, 'trailers'],
    [null, 'others, while every name was taken'],
  ])
  expect(rows.map(({ hitPercent }) => hitPercent)).toEqual([90, 100, null, 0])
})

test('an object is a file of its title, or its whole address', () => {
  const object = (key: string): EdgeTopObject => ({ key, errorMax: 3, ...tally(1, 1, 0, 1) })
  const keys = ['http://media/v/t1/v360/1.m4s', 'http://h/t9/x', 'http://media/art/t2']
  expect(toObjectRows(keys.map(object), TITLES).map(({ title, detail }) => [title?.id ?? null, detail])).toEqual([
    ['t1', 'v360/1.m4s'],
    [null, 'http://h/t9/x'],
    ['t2', 'http://media/art/t2'],
  ])
})

const cases: readonly (readonly [string, EdgeColumn, boolean, string])[] = [
  ['', 'requests', true, 't1 trailers t2 other'],
  ['', 'requests', false, 'other t2 trailers t1'],
  ['', 'bytes', true, 't2 t1 trailers other'],
  ['', 'hits', true, 't2 t1 other trailers'],
  ['', 'name', false, 't2 t1 other trailers'],
  ['bunny BIG', 'requests', true, 't1'],
  ['t2', 'requests', true, 't2'],
  ['bunny aniara', 'requests', true, ''],
]
test.each(cases)('%p by %s, descending %p', (text, column, descending, expected) => {
  expect(keysOf(selectRows(toTitleRows(TAGS, TITLES), text, { column, descending }))).toBe(expected)
})

test('a long table is cut, and says by how much', () => {
  const tags = Array.from({ length: 1_024 }, (_, at) => ({ name: `tag ${at}`, ...tally(at, 0, 0, 0) }))
  const { rows, more } = selectRows(toTitleRows(tags, TITLES), '', { column: 'requests', descending: true })
  expect([rows.length, more, rows[0]?.key]).toEqual([20, 1_004, 'tag 1023'])
})

test('outcomes are sorted by what people read', () => {
  const row = (cache: 'hit' | 'miss' | 'none', requests: number, averageMs: number) => ({
    ...{ cache, requests, averageMs, bytes: 0, percent: null },
  })
  const rows = [row('none', 3, 1), row('hit', 2, 2), row('miss', 9, 5)]
  const order = (column: EdgeColumn, descending: boolean): string =>
    sortOutcomes(rows, { column, descending }, ({ cache }) => cache)
      .map(({ cache }) => cache)
      .join(' ')
  expect(order('requests', true)).toBe('miss none hit')
  expect(order('averageMs', false)).toBe('none hit miss')
  expect(order('name', true)).toBe('none miss hit')
})
