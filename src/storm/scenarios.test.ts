import { expect, test } from 'bun:test'
import { cellFor, parseConfig } from '../contracts/index.ts'
import { arrivalsExpected, peakPerSecond } from './arrivals.ts'
import { durationOf } from './scenario.ts'
import { DEFAULT_SCENARIO, SCENARIOS } from './scenarios.ts'

test('what the issue names is built in, the default first', () => {
  expect(SCENARIOS.map(({ name }) => name)).toEqual([
    ...['premiere', 'spike-50x', 'exit-rush', 'cell-down'],
    ...['control-down', 'store-down', 'worker-carnage', 'disk-full'],
  ])
  expect(SCENARIOS[0]?.name).toBe(DEFAULT_SCENARIO)
})

for (const scenario of SCENARIOS)
  test(`${scenario.name} takes a minute, and leaves time for what it breaks to recover`, () => {
    expect(durationOf(scenario)).toBeLessThanOrEqual(60_000)
    expect(scenario.description).not.toBe('')
    const { recoveryMsMax = 0 } = scenario.objectives
    const ends = scenario.faults.map((plan) =>
      plan.kind === 'kill' ? plan.atMs + ((plan.times ?? 1) - 1) * (plan.everyMs ?? 0) : plan.atMs + plan.forMs,
    )
    expect(Math.max(0, ...ends) + recoveryMsMax).toBeLessThanOrEqual(durationOf(scenario))
    // Seen stopped within 5 s, and watched for a while after.
    for (const { kind, atMs } of scenario.operations)
      if (kind === 'withdraw') expect(atMs + 10_000).toBeLessThan(durationOf(scenario))
  })

test('the premiere rises fifty-fold within ten seconds and ends with the film', () => {
  const [premiere] = SCENARIOS
  if (!premiere) throw new Error('expected a premiere')
  expect(peakPerSecond(premiere)).toBe(50 * premiere.baselinePerSecond)
  expect(premiere.phases.find((phase) => phase.name === 'spike')?.durationMs).toBe(10_000)
  expect(premiere.phases.at(-1)?.premiereEnds).toEqual({ spreadMs: 3_000 })
  // Nobody has seen all of it before it is said to end.
  expect(premiere.platform.premiereMs).toBeGreaterThan(durationOf(premiere) - 15_000)
  expect(arrivalsExpected(premiere)).toBeGreaterThan(2_000)
})

test('viewers live in both cells of the default platform', () => {
  const { cells } = parseConfig({})
  for (const { populations } of SCENARIOS) {
    const byCell: Record<string, number> = {}
    for (const one of populations) {
      const cell = cellFor(cells, one)
      byCell[cell] = (byCell[cell] ?? 0) + one.weight
    }
    expect(byCell).toEqual({ a: 50, b: 50 })
  }
})
