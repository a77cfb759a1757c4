import { expect, test } from 'bun:test'
import { createHeardAllAt } from './heard-all.ts'

/** Looks at these times, with so much handled and so much there: how far behind it is at each. */
const cases: readonly {
  readonly what: string
  readonly looks: readonly (readonly [atMs: number, next: number, end: number])[]
  readonly expected: readonly number[]
}[] = [
  {
    what: 'at the end it is not',
    looks: [
      [0, 0, 0],
      [900, 5, 5],
    ],
    expected: [0, 0],
  },
  {
    what: 'stuck it is ever more',
    looks: [
      [0, 0, 9],
      [100, 0, 9],
      [5_000, 0, 9],
    ],
    expected: [0, 100, 5_000],
  },
  {
    what: 'never at the end, yet keeping up, it is as far as between two looks',
    looks: [
      [0, 0, 9],
      [100, 9, 20],
      [200, 20, 30],
      [300, 30, 40],
      [9_000, 39, 50],
      [9_100, 50, 60],
      [9_200, 60, 70],
    ],
    expected: [0, 100, 100, 100, 8_800, 8_800, 100],
  },
  {
    what: 'under a flood that it falls behind of, it is ever more',
    looks: [
      [0, 0, 100],
      [1_000, 50, 1_000],
      [2_000, 100, 2_000],
      [4_000, 900, 4_000],
      [6_000, 1_900, 6_000],
    ],
    expected: [0, 1_000, 2_000, 4_000, 6_000],
  },
  {
    what: 'caught up at last, it is not',
    looks: [
      [0, 0, 9],
      [7_000, 3, 90],
      [8_000, 90, 90],
    ],
    expected: [0, 7_000, 0],
  },
]
test.each(cases)('$what', ({ looks, expected }) => {
  let position = { next: {}, end: {} }
  const heardAllAt = createHeardAllAt({ position: () => position }, 0)
  const told = looks.map(([atMs, next, end]) => {
    position = { next: { 0: next }, end: { 0: end } }
    return atMs - heardAllAt(atMs)
  })
  expect(told).toEqual([...expected])
})

test('the partition that is furthest behind decides', () => {
  const heardAllAt = createHeardAllAt({ position: () => ({ next: { 0: 5, 1: 1 }, end: { 0: 5, 1: 2 } }) }, 0)
  expect([heardAllAt(0), heardAllAt(500)]).toEqual([0, 0])
})
