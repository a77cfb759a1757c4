import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PlatformStatus } from '../../contracts/index.ts'
import { createStrikes, decideStrikes, endStrikes, needsStatus } from './decide.ts'
import { describeFault } from './describe.ts'
import type { FaultEffect } from './kinds/kind.ts'
import type { FaultPlan } from './plan.ts'
import { matchesRole } from './roles.ts'

type Pids = Readonly<Record<string, number | null>>

function statusOf(pids: Pids): PlatformStatus {
  const roles = Object.entries(pids).map(
    ([name, pid]) => ({ name, pid, role: 'worker', state: 'healthy', restarts: 0, sinceMs: 0, detail: null }) as const,
  )
  return { healthy: true, version: '0', startedAtMs: 0, watchUrl: '', consoleUrl: '', roles }
}

/** Effects as short lines, by the time they came at. */
function play(plans: readonly FaultPlan[], steps: readonly (readonly [number, Pids | null])[]): string[] {
  let state = createStrikes(plans)
  const lines: string[] = []
  for (const [nowMs, pids] of steps) {
    const status = pids === null || !needsStatus(plans, nowMs, state) ? null : statusOf(pids)
    const decision = decideStrikes(plans, nowMs, state, status)
    state = decision.state
    for (const { effects } of decision.strikes) lines.push(...effects.map((effect) => `${nowMs} ${toLine(effect)}`))
  }
  return lines
}

function toLine(effect: FaultEffect): string {
  switch (effect.type) {
    case 'kill':
    case 'freeze':
      return `${effect.type} ${effect.victim.role} ${effect.victim.pid}`
    case 'mark':
      return `${effect.phase} ${effect.roles.join('+')}${effect.atStrike ? ', as of its last strike' : ''}`
    case 'fail':
      return `fail ${effect.reason.slice(0, 40)}`
    default:
      return effect.type
  }
}

const CASES: readonly {
  what: string
  plan: FaultPlan
  steps: readonly (readonly [number, Pids | null])[]
  expected: readonly string[]
}[] = [
  {
    what: 'a kill strikes once, at its time',
    plan: { kind: 'kill', role: 'cell-a', atMs: 100 },
    steps: [
      [99, { 'cell-a': 7 }],
      [100, { 'cell-a': 7, 'cell-b': 8 }],
      [200, { 'cell-a': 9 }],
    ],
    expected: ['100 kill cell-a 7', '100 struck cell-a', '100 ended cell-a'],
  },
  {
    what: 'a repeated kill waits for a new process',
    plan: { kind: 'kill', role: 'cell-a', atMs: 100, times: 3, everyMs: 50 },
    steps: [
      [100, { 'cell-a': 7 }],
      [120, { 'cell-a': 8 }],
      [150, { 'cell-a': null }],
      [160, { 'cell-a': 8 }],
      [200, { 'cell-a': 8 }],
      [300, { 'cell-a': 9 }],
      [400, { 'cell-a': 10 }],
    ],
    expected: [
      ...['100 kill cell-a 7', '100 struck cell-a', '160 kill cell-a 8', '160 struck cell-a'],
      ...['300 kill cell-a 9', '300 struck cell-a', '300 ended cell-a'],
    ],
  },
  {
    what: 'a pattern means all that match',
    plan: { kind: 'kill', role: 'worker-*', atMs: 0 },
    steps: [[0, { 'worker-0': 1, edge: 2, 'worker-1': 3, 'worker-2': null }]],
    expected: ['0 kill worker-0 1', '0 kill worker-1 3', '0 struck worker-0+worker-1', '0 ended worker-0+worker-1'],
  },
  {
    what: 'a role that does not come back has been struck all the same',
    plan: { kind: 'kill', role: 'edge', atMs: 0, times: 2, everyMs: 10 },
    steps: [
      [0, { edge: 2 }],
      [10, { edge: null }],
      [16_000, { edge: null }],
      [17_000, { edge: 3 }],
    ],
    expected: ['0 kill edge 2', '0 struck edge', '16000 ended edge, as of its last strike'],
  },
  {
    what: 'a kill that never met a process has failed',
    plan: { kind: 'kill', role: 'edge', atMs: 0, times: 2, everyMs: 10 },
    steps: [
      [0, { edge: null }],
      [14_999, { edge: null }],
      [15_000, { edge: null }],
      [17_000, { edge: 3 }],
    ],
    expected: ['15000 fail edge had no process to strike within 150'],
  },
  {
    what: 'down kills whatever comes back, until its end',
    plan: { kind: 'down', role: 'store', atMs: 10, forMs: 100 },
    steps: [
      [10, null],
      [20, { store: 1 }],
      [40, { store: 1 }],
      [60, { store: 2 }],
      [109, { store: 3 }],
      [110, { store: 4 }],
      [120, { store: 4 }],
    ],
    expected: ['20 kill store 1', '20 struck store', '60 kill store 2', '109 kill store 3', '110 ended store'],
  },
  {
    what: 'down that never met a process has failed',
    plan: { kind: 'down', role: 'store', atMs: 10, forMs: 100 },
    steps: [
      [10, { store: null }],
      [110, { store: 1 }],
    ],
    expected: ['110 fail store had no process to strike within 10'],
  },
  {
    what: 'a freeze ends by its time, whether the supervisor answers or not',
    plan: { kind: 'freeze', role: 'control', atMs: 10, forMs: 100 },
    steps: [
      [10, { control: 5 }],
      [50, { control: 6 }],
      [110, null],
    ],
    expected: ['10 freeze control 5', '10 struck control', '110 thaw', '110 ended control'],
  },
  {
    what: 'nobody of that name',
    plan: { kind: 'freeze', role: 'cell-z', atMs: 0, forMs: 10 },
    steps: [
      [0, { 'cell-a': 5 }],
      [1, { 'cell-a': 5 }],
    ],
    expected: ['0 fail no role is called cell-z; this platform '],
  },
  {
    what: 'a link needs nobody',
    plan: { kind: 'link', where: 'viewers', atMs: 10, forMs: 5, conditions: { cut: 'reset' } },
    steps: [
      [9, null],
      [10, null],
      [12, null],
      [15, null],
      [20, null],
    ],
    expected: ['10 impair', '10 struck edge', '15 mend', '15 ended edge'],
  },
  {
    what: 'a full disk strikes all, and is freed without the supervisor',
    plan: { kind: 'disk-full', atMs: 10, forMs: 5 },
    steps: [
      [10, { store: 1, edge: null }],
      [15, null],
    ],
    expected: ['10 fill', '10 struck store+edge', '15 free', '15 ended store+edge'],
  },
  {
    what: 'a time slept through still begins and ends',
    plan: { kind: 'link', where: 'store', atMs: 10, forMs: 5, conditions: {} },
    steps: [
      [99, null],
      [119, null],
    ],
    expected: ['99 impair', '99 struck store', '119 mend', '119 ended store'],
  },
]

describe('decideStrikes', () => {
  for (const { what, plan, steps, expected } of CASES)
    test(what, () => {
      expect(play([plan], steps)).toEqual([...expected])
    })

  test('what was ended is not decided again', () => {
    const plan: FaultPlan = { kind: 'down', role: 'edge', atMs: 0, forMs: 100 }
    const state = endStrikes(createStrikes([plan]), describeFault(plan).id)
    expect(decideStrikes([plan], 50, state, statusOf({ edge: 1 })).strikes).toEqual([])
    expect(needsStatus([plan], 50, state)).toBe(false)
  })

  test('no process is killed twice by a fault, and none outside its pattern, whatever the supervisor says', () => {
    const pid = fc.option(fc.integer({ min: 1, max: 4 }))
    const pids = fc
      .record({ 'worker-0': pid, 'worker-1': pid, edge: pid }, { requiredKeys: [] })
      .map((some) =>
        Object.fromEntries(
          Object.entries(some).map(([name, value], at) => [name, value === null ? null : value * 10 + at]),
        ),
      )
    const plans: FaultPlan[] = [
      { kind: 'kill', role: 'worker-*', atMs: 5, times: 4, everyMs: 3 },
      { kind: 'down', role: 'worker-1', atMs: 5, forMs: 100 },
    ]
    const moments = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.option(pids)), { maxLength: 60 })
    fc.assert(
      fc.property(fc.constantFrom(...plans), moments, (plan, gaps) => {
        let nowMs = 0
        const steps = gaps.map(([gapMs, at]): [number, Pids | null] => {
          nowMs += gapMs
          return [nowMs, at]
        })
        const killed = play([plan], steps).flatMap((line) => line.match(/kill (\S+ \d+)$/)?.[1] ?? [])
        expect(new Set(killed).size).toBe(killed.length)
        expect(killed.some((who) => who.startsWith('edge'))).toBe(false)
      }),
    )
  })
})

test('patterns of roles', () => {
  const cases = [
    ['worker-*', 'worker-12', true],
    ['worker-*', 'control', false],
    ['cell-a', 'cell-a', true],
    ['cell-a', 'cell-ab', false],
    ['*', 'store', true],
  ] as const
  for (const [pattern, role, expected] of cases)
    expect([pattern, role, matchesRole(pattern, role)]).toEqual([pattern, role, expected])
})

test('every fault has a label for people and an id of its own', () => {
  const cases: readonly (readonly [FaultPlan, string, string])[] = [
    [{ kind: 'kill', role: 'cell-a', atMs: 5, times: 3 }, 'kill-cell-a-at-5', 'kill -9 cell-a, 3 times'],
    [{ kind: 'kill', role: 'worker-*', atMs: 0 }, 'kill-worker-*-at-0', 'kill -9 worker-*'],
    [{ kind: 'down', role: 'store', atMs: 5, forMs: 12_500 }, 'down-store-at-5', 'store down for 12.5 s'],
    [{ kind: 'freeze', role: 'edge', atMs: 5, forMs: 900 }, 'freeze-edge-at-5', 'edge frozen for 900 ms'],
    [{ kind: 'disk-full', atMs: 5, forMs: 8_000 }, 'disk-full-at-5', 'disk full for 8 s'],
    [
      {
        kind: 'link',
        where: 'viewers',
        atMs: 5,
        forMs: 2_000,
        conditions: { latencyMs: 50, jitterMs: 10, bytesPerSecond: 1_500_000 },
      },
      'link-viewers-at-5',
      'link to viewers: 50 ms late, 10 ms jitter, 1.5 MB/s per connection for 2 s',
    ],
  ]
  for (const [plan, id, label] of cases) expect(describeFault(plan)).toEqual({ id, label })
})
