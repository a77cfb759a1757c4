import { expect, test } from 'bun:test'
import { decideFocus } from './focus.ts'

const box = (left: number) => ({ left, right: left + 100 })
const rows = [[box(0)], [box(0), box(110), box(220)], [box(0), box(220)]]

test.each([
  ['nothing focused', null, 'ArrowDown', { row: 0, column: 0 }],
  ['right along a row', { row: 1, column: 0 }, 'ArrowRight', { row: 1, column: 1 }],
  ['right at the end', { row: 1, column: 2 }, 'ArrowRight', null],
  ['left at the start', { row: 1, column: 0 }, 'ArrowLeft', null],
  ['down to the nearest', { row: 1, column: 2 }, 'ArrowDown', { row: 2, column: 1 }],
  ['up to the only one', { row: 1, column: 2 }, 'ArrowUp', { row: 0, column: 0 }],
  ['down from the last row', { row: 2, column: 0 }, 'ArrowDown', null],
  ['up from the first row', { row: 0, column: 0 }, 'ArrowUp', null],
] as const)('%s', (_, at, key, expected) => {
  expect(decideFocus(rows, at, key)).toEqual(expected)
})

test('an empty page has nowhere to go', () => {
  expect(decideFocus([], null, 'ArrowDown')).toBeNull()
})
