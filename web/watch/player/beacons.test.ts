import { expect, test } from 'bun:test'
import type { Result } from '../../common/problem.ts'
import type { Signal } from '../api/types.ts'
import { createBeacons } from './beacons.ts'

const signal = (positionMs: number): Signal => ({
  id: `0199a1a0-0000-7000-8000-${String(positionMs).padStart(12, '0')}`,
  sessionId: 's',
  titleId: '0000000000000000',
  kind: 'progress',
  positionMs,
})
const good: Result<unknown> = { ok: true, value: {} }
const bad = (status: number): Result<unknown> => ({ ok: false, problem: { status, code: 'x', detail: 'x' } })

function open(answers: Result<unknown>[]) {
  const batches: number[][] = []
  const beacons = createBeacons(async (batch) => {
    batches.push(batch.map((one) => one.positionMs))
    return answers.shift() ?? good
  })
  return { beacons, batches }
}

test('what could not be delivered is sent again, what was refused is not', async () => {
  const { beacons, batches } = open([bad(503), good, bad(400)])
  beacons.add(signal(1))
  await beacons.flush({ leaving: false })
  beacons.add(signal(2))
  await beacons.flush({ leaving: false })
  beacons.add(signal(3))
  await beacons.flush({ leaving: false })
  await beacons.flush({ leaving: false })
  expect(batches).toEqual([[1], [1, 2], [3]])
})

test('a batch has at most 50 signals, and a long silence keeps the newest 200', async () => {
  const { beacons, batches } = open([])
  for (let index = 0; index < 230; index += 1) beacons.add(signal(index))
  await beacons.flush({ leaving: false })
  expect(batches.map((batch) => batch.length)).toEqual([50, 50, 50, 50])
  expect(batches[0]?.[0]).toBe(30)
  expect(batches.at(-1)?.at(-1)).toBe(229)
})

test('flushing while a flush is under way sends nothing twice', async () => {
  const { beacons, batches } = open([])
  beacons.add(signal(1))
  await Promise.all([beacons.flush({ leaving: false }), beacons.flush({ leaving: false })])
  expect(batches).toEqual([[1]])
})

test('a page that leaves sends at once, also what is doubtful', async () => {
  const { beacons, batches } = open([bad(0)])
  beacons.add(signal(1))
  await beacons.flush({ leaving: false })
  void beacons.flush({ leaving: true })
  expect(batches).toEqual([[1], [1]])
})
