import { expect, test } from 'bun:test'
import type { StaffTitle } from '../../../src/contracts/index.ts'
import { FIRST_VIEW, type TitlesView } from '../route.ts'
import { describeStage, selectTitles } from './select.ts'

const title = (id: string, fields: Partial<StaffTitle>): StaffTitle => ({
  id,
  name: id,
  description: '',
  state: 'published',
  percent: 100,
  stages: [],
  code: null,
  reason: null,
  fileName: null,
  durationMs: null,
  heights: [],
  createdAtMs: 0,
  updatedAtMs: 0,
  watchUrl: '',
  posterUrl: null,
  ...fields,
})
const titles = [
  title('a', { name: 'Film 10', updatedAtMs: 3, percent: 10, state: 'processing', durationMs: 5 }),
  title('b', { name: 'film 9', updatedAtMs: 1, percent: 100, fileName: 'Movie.mov', durationMs: 9 }),
  title('c', { name: 'Other', updatedAtMs: 2, percent: 0, state: 'failed', reason: 'No video in it' }),
]
const check = (view: Partial<TitlesView>) =>
  selectTitles(titles, { ...FIRST_VIEW, ...view })
    .map(({ id }) => id)
    .join('')

test.each([
  [{}, 'acb'],
  [{ sort: 'name', descending: false }, 'bac'],
  [{ sort: 'name', descending: true }, 'cab'],
  [{ sort: 'percent', descending: false }, 'cab'],
  [{ sort: 'state', descending: false }, 'abc'],
  [{ sort: 'durationMs', descending: true }, 'bac'],
  [{ state: 'failed' }, 'c'],
  [{ text: 'FILM' }, 'ab'],
  [{ text: 'movie' }, 'b'],
  [{ text: 'no video' }, 'c'],
  [{ text: 'film 10 x' }, ''],
] as const)('%p shows %p', (view, expected) => {
  expect(check(view)).toBe(expected)
})

test('a title says what it is doing', () => {
  const stages = [
    { name: 'probe', done: 1, total: 1 },
    { name: 'video', done: 3, total: 40 },
  ]
  expect(describeStage(title('x', { state: 'processing', stages }))).toBe('video 3 of 40')
  expect(describeStage(title('x', { state: 'processing' }))).toBe('About to begin')
  expect(describeStage(title('x', { state: 'failed', reason: 'why' }))).toBe('why')
  expect(describeStage(title('x', { state: 'uploading' }))).toBe('Waiting for its film')
  expect(describeStage(title('x', { state: 'published', stages: [] }))).toBe('')
})
