import { expect, test } from 'bun:test'
import { Fault } from '../kernel/index.ts'
import { defineStorm, STORM_DEFAULTS, type StormInput } from './define.ts'

const SMALL: StormInput = {
  name: 'small',
  baselinePerSecond: 2,
  phases: [{ name: 'all of it', durationMs: 10_000, arrivals: 5 }],
}

/** The paths of the faults that are found, in order. */
function faultsOf(input: unknown): string[] {
  try {
    defineStorm(input as StormInput) // hostile on purpose
    return []
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'scenario-invalid') throw error
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(': ')[0] ?? '')
  }
}

test('name, baseline and phases are enough; the rest are the defaults', () => {
  const { name, baselinePerSecond, phases } = SMALL
  expect(defineStorm(SMALL)).toEqual({ ...STORM_DEFAULTS, name, baselinePerSecond, phases })
})

test('a scenario that is whole comes out as it went in', () => {
  const whole = defineStorm({ ...SMALL, titles: { premiereShare: 0.2 }, habits: { player: { aheadMs: 5_000 } } })
  expect(whole.titles).toEqual({ ...STORM_DEFAULTS.titles, premiereShare: 0.2 })
  expect(whole.habits.player).toEqual({ ...STORM_DEFAULTS.habits.player, aheadMs: 5_000 })
  expect(defineStorm(whole)).toEqual(whole)
})

test('objectives are taken as they are, so that one can be left out', () => {
  expect(defineStorm({ ...SMALL, objectives: { violationsMax: 0 } }).objectives).toEqual({ violationsMax: 0 })
})

const kill = { kind: 'kill', role: 'store', atMs: 1 }
const refused: [what: string, change: unknown, ...paths: string[]][] = [
  ['no phases', { phases: [] }, 'phases'],
  ['a phase without length', { phases: [{ name: 'x', durationMs: 0, arrivals: 1 }] }, 'phases.0.durationMs'],
  ['a phase with a misspelt key', { phases: [{ name: 'x', durationMs: 1, arrivals: 1, arivals: 2 }] }, 'phases.0'],
  ['half a ramp', { phases: [{ name: 'x', durationMs: 1, arrivals: { from: 1 } }] }, 'phases.0.arrivals'],
  ['an unknown key', { colour: 'red' }, 'colour'],
  ['a name with a blank', { name: 'Friday night' }, 'name'],
  ['a baseline of nothing', { baselinePerSecond: 0 }, 'baselinePerSecond'],
  ['nobody', { populations: [] }, 'populations'],
  [
    'a country in lower case',
    { populations: [{ weight: 1, country: 'de', tier: 'free', platform: 'web', lineBps: 1e6 }] },
    'populations.0.country',
  ],
  ['a share above 1', { titles: { premiereShare: 1.1 } }, 'titles.premiereShare'],
  ['titles that are none', { titles: 7 }, 'titles'],
  [
    'a patience that falls',
    {
      habits: {
        patience: [
          [0, 0.5],
          [1_000, 0.4],
        ],
      },
    },
    'habits.patience.1',
  ],
  [
    'a patience that stands still',
    {
      habits: {
        patience: [
          [5, 0],
          [5, 1],
        ],
      },
    },
    'habits.patience.1',
  ],
  ['hesitation the wrong way round', { habits: { hesitationMs: [2, 1] } }, 'habits.hesitationMs'],
  ['a player ahead of less than it starts with', { habits: { player: { aheadMs: 1 } } }, 'habits.player.aheadMs'],
  ['a fault of no kind', { faults: [{ kind: 'meteor', atMs: 1 }] }, 'faults.0.kind'],
  ['a fault past the end', { faults: [{ ...kill, atMs: 10_001 }] }, 'faults.0'],
  ['a kill whose recovery nobody can see', { faults: [{ ...kill, atMs: 9_001 }] }, 'faults.0'],
  ['a last kill past the end', { faults: [{ ...kill, times: 3, everyMs: 5_000 }] }, 'faults.0'],
  ['a last kill too near the end', { faults: [{ ...kill, times: 3, everyMs: 4_500 }] }, 'faults.0'],
  ['kills without a time between', { faults: [{ ...kill, times: 2 }] }, 'faults.0.everyMs'],
  ['a role that is a path', { faults: [{ ...kill, role: '../store' }] }, 'faults.0.role'],
  ['a freeze past the end', { faults: [{ kind: 'freeze', role: 'edge', atMs: 9_000, forMs: 2_000 }] }, 'faults.0'],
  ['a freeze up to the end', { faults: [{ kind: 'freeze', role: 'edge', atMs: 9_000, forMs: 1_000 }] }, 'faults.0'],
  ['a fault twice', { faults: [kill, { ...kill, role: 'edge' }, { ...kill, times: 2, everyMs: 5 }] }, 'faults.2'],
  ['an operation past the end', { operations: [{ kind: 'withdraw', atMs: 11_000 }] }, 'operations.0.atMs'],
  ['an operation at the end', { operations: [{ kind: 'publish', atMs: 10_000, filmMs: 1e4 }] }, 'operations.0.atMs'],
  ['a full disk without a disk', { faults: [{ kind: 'disk-full', atMs: 1, forMs: 1 }] }, 'platform.diskBytes'],
  ['an unknown objective', { objectives: { happinessMin: 1 } }, 'objectives'],
  ['films to be published, and none', { objectives: { unpublishedMax: 0 } }, 'objectives.unpublishedMax'],
  [
    'bounds below the phases',
    { bounds: { viewersMax: 100, requestsMax: 100 } },
    'bounds.viewersMax',
    'bounds.requestsMax',
  ],
  ['a storm longer than allowed', { bounds: { durationMsMax: 9_999 } }, 'bounds.durationMsMax'],
  ['no worker', { platform: { workers: 0 } }, 'platform.workers'],
  [
    'faults everywhere, all told at once',
    {
      name: '',
      phases: [{ name: 'x', durationMs: -1, arrivals: 1 }],
      titles: { zipfExponent: -1 },
      habits: {
        patience: [
          [0, 1],
          [1, 0],
        ],
      },
      faults: [{ kind: 'disk-full', atMs: 1, forMs: 1 }],
      weather: 'bad',
    },
    ...['weather', 'name', 'phases.0.durationMs', 'titles.zipfExponent', 'habits.patience.1', 'platform.diskBytes'],
  ],
]

for (const [what, change, ...paths] of refused)
  test(`refused: ${what}`, () => expect(faultsOf({ ...SMALL, ...(change as object) }).sort()).toEqual(paths.sort()))

test('what is no record at all is refused', () => {
  for (const input of [null, 7, 'premiere', []]) expect(faultsOf(input)).toContain('phases')
})

test('a disk of its own may be filled', () => {
  const disk = { platform: { diskBytes: 128 * 1024 * 1024 }, faults: [{ kind: 'disk-full', atMs: 1, forMs: 8_999 }] }
  expect(faultsOf({ ...SMALL, ...disk })).toEqual([])
})

test('faults may come up to a second before the end, operations up to the end, also where phases do not add up exactly', () => {
  const edge = (lengthMs: number): StormInput => ({
    ...SMALL,
    phases: Array.from({ length: 7 }, () => ({ name: 'x', durationMs: lengthMs / 7, arrivals: 1 })),
    faults: [
      { kind: 'kill', role: 'store', atMs: 1_000, times: 2, everyMs: lengthMs - 2_000 },
      { kind: 'freeze', role: 'edge', atMs: lengthMs - 2_000, forMs: 1_000 },
    ],
    operations: [{ kind: 'withdraw', atMs: lengthMs - 1 }],
  })
  for (const lengthMs of [10_000, 10_001, 33_333, 60_000])
    expect([lengthMs, faultsOf(edge(lengthMs))]).toEqual([lengthMs, []])
})

test('of two faults that nobody could tell apart, both are named', () => {
  const again = { ...SMALL, faults: [kill, { kind: 'down', role: 'store', atMs: 1, forMs: 5 }, kill] }
  expect(() => defineStorm(again as StormInput)).toThrow(/faults\.2: .*kill-store-at-1 as in faults\.0; let one begin/)
})
