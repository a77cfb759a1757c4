import { expect, test } from 'bun:test'
import { decideClaim } from './lease.ts'

const row = { owner: 'a', fence: 3, beat: 9 }
const cases: readonly [string, Parameters<typeof decideClaim>, boolean][] = [
  ['a free lease is claimed at sight', [null, { ...row, owner: '' }, { elapsedMs: 0, leaseMs: 100 }], true],
  ['one just seen is not', [null, row, { elapsedMs: 0, leaseMs: 100 }], false],
  ['one that did not change for long enough is', [{ row, sinceMs: 0 }, row, { elapsedMs: 100, leaseMs: 100 }], true],
  [
    'one that did not change for not long enough is not',
    [{ row, sinceMs: 0 }, row, { elapsedMs: 99, leaseMs: 100 }],
    false,
  ],
  [
    'a beat starts the wait anew',
    [{ row: { ...row, beat: 8 }, sinceMs: 0 }, row, { elapsedMs: 500, leaseMs: 100 }],
    false,
  ],
  ['so does a new holder', [{ row: { ...row, fence: 2 }, sinceMs: 0 }, row, { elapsedMs: 500, leaseMs: 100 }], false],
]
for (const [name, input, claim] of cases) {
  test(name, () => expect(decideClaim(...input).claim).toBe(claim))
}
