import { expect, test } from 'bun:test'
import { clockFilters } from './clock.ts'

const SHAPES = [
  ' _ | ||_|',
  '     |  |',
  ' _  _||_ ',
  ' _  _| _|',
  '   |_|  |',
  ' _ |_  _|',
  ' _ |_ |_|',
  ' _   |  |',
  ' _ |_||_|',
  ' _ |_| _|',
]

/** What a digit's seven boxes draw for a value, as three rows of three. */
function draw(filters: readonly string[], value: number): string {
  const [top, upperRight, lowerRight, bottom, lowerLeft, upperLeft, middle] = filters.map((filter) => {
    const mask = Number(/bitand\((\d+),/.exec(filter)?.[1])
    return (mask & (1 << value)) !== 0
  })
  const mark = (on: boolean | undefined, sign: string): string => (on ? sign : ' ')
  return [
    ` ${mark(top, '_')} `,
    `${mark(upperLeft, '|')}${mark(middle, '_')}${mark(upperRight, '|')}`,
    `${mark(lowerLeft, '|')}${mark(bottom, '_')}${mark(lowerRight, '|')}`,
  ].join('')
}

test('every digit is drawn the way a seven-segment display draws it', () => {
  const filters = clockFilters({ x: 0, y: 0, framesPerSecond: 24 }).filter((filter) => filter.includes('enable'))
  expect(filters).toHaveLength(6 * 7)
  expect(Array.from({ length: 10 }, (_, value) => draw(filters.slice(-7), value))).toEqual(SHAPES)
})
