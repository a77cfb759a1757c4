import { expect, test } from 'bun:test'
import type { FaultMark } from '../faults/plan.ts'
import { type HealthSample, recoveryAfterMs } from './recovery.ts'

const mark = (phase: FaultMark['phase'], atMs: number): FaultMark => ({
  faultId: 'f',
  label: 'kill -9 cell-b',
  phase,
  atMs,
  roles: ['cell-b'],
})
/** Ten requests a second, of which so many failed; null: none was due. */
const dueOf = (errors: readonly (number | null)[]) =>
  errors.map((count) => (count === null ? { requests: 0, errors: 0 } : { requests: 10, errors: count }))
/** Two looks a second: how many roles were down; null: no answer. */
const healthOf = (down: readonly (number | null)[]): HealthSample[] =>
  down.map((count, at) => ({ atMs: at * 500, down: count === null ? null : Array<string>(count).fill('cell-b') }))

const healthy = healthOf(Array<number>(20).fill(0))
const cases: readonly (readonly [string, FaultMark[], (number | null)[], HealthSample[], number | null])[] = [
  ['nobody noticed', [mark('struck', 1_500), mark('ended', 1_500)], [0, 0, 0], healthy, 0],
  ['errors until the fifth second', [mark('ended', 1_500)], [0, 3, 3, 3, 1, 0], healthy, 3_500],
  ['errors that came in late count where they were due', [mark('ended', 1_500)], [0, 3, 0, 3, 0], healthy, 2_500],
  ['a second without requests is no second without errors', [mark('ended', 1_500)], [0, 3, null], healthy, null],
  [
    'errors end at once, the role is back later',
    [mark('ended', 1_500)],
    [0, 3, 0, 0, 0],
    healthOf([0, 0, 0, 1, 1, 1, 1, 0]),
    2_000,
  ],
  ['healthy, dead again, healthy', [mark('ended', 500)], [0, 0, 0, 0], healthOf([0, 1, 0, 1, 0, 0]), 1_500],
  [
    'a supervisor that does not answer is not healthy',
    [mark('ended', 500)],
    [0, 0],
    healthOf([0, null, null, 0]),
    1_000,
  ],
  ['never without errors again', [mark('ended', 1_500)], [0, 3, 3], healthy, null],
  ['never healthy again', [mark('ended', 1_500)], [0, 0, 0], healthOf([0, 0, 0, 1, 1]), null],
  ['it never struck', [mark('failed', 1_500)], [0, 0, 0], healthy, null],
  ['the last of several counts', [mark('ended', 500), mark('ended', 2_500)], [0, 1, 1, 1, 0], healthy, 1_500],
]

for (const [name, marks, errors, health, expected] of cases)
  test(name, () => {
    expect(recoveryAfterMs({ marks, untilMs: errors.length * 1_000, due: dueOf(errors), health })).toBe(expected)
  })

test('what another fault does later is not held against this one', () => {
  const marks = [mark('ended', 1_200)]
  const due = dueOf([0, 1, 0, 0, 5, 5])
  const health = healthOf([0, 0, 0, 1, 0, 0, 0, 0, 1, 1])
  expect(recoveryAfterMs({ marks, untilMs: 4_000, due, health })).toBe(800)
})
