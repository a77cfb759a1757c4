import { expect, test } from 'bun:test'
import { EXPECTED_P99_MS, judgeSelfTest } from './self-test.ts'

const GENERATOR = {
  lagP50Ms: 0,
  lagP99Ms: 1,
  lagMaxMs: 2,
  cpuMean: 0,
  cpuMax: 0,
  rssBytesMax: 0,
  priorityRaised: false,
}
const judge = (p99Ms: number | null, invalidBecause: string[] = []): boolean =>
  judgeSelfTest({
    invalidBecause,
    generator: GENERATOR,
    requests:
      p99Ms === null
        ? []
        : [{ kind: 'session', count: 2_000, errors: 0, p50Ms: 1, p99Ms, p999Ms: p99Ms, maxMs: p99Ms }],
  }).passed

test('a tenth of the requests waits up to a second: one in a hundred waits longer than 900 ms', () => {
  expect(EXPECTED_P99_MS).toBe(900)
})

const cases: [what: string, passed: boolean, p99Ms: number | null, invalidBecause?: string[]][] = [
  ['what theory says', true, 900],
  ['a little more', true, 930],
  ['a tool that waits for the server', false, 3],
  ['a tool that counts too much', false, 1_000],
  ['no request at all', false, null],
  ['a generator that lagged', false, 900, ['lag p99 9 ms']],
]
for (const [what, passed, p99Ms, invalidBecause] of cases)
  test(`${what}: ${passed ? 'passed' : 'failed'}`, () => expect(judge(p99Ms, invalidBecause)).toBe(passed))
