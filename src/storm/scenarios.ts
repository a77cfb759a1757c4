import { defineStorm, STORM_DEFAULTS, type StormInput } from './define.ts'
import type { Objectives, Phase, Scenario } from './scenario.ts'

const BASELINE_PER_SECOND = 2
const MIB = 1024 * 1024

/** What viewers must not notice, whatever strikes elsewhere. */
const UNDISTURBED = STORM_DEFAULTS.objectives
/** What holds even where viewers do notice. */
const ALWAYS: Objectives = { eventsLostMax: 0, eventsDoubledMax: 0, violationsMax: 0 }
const RECOVERY_MS_MAX = 15_000

/** An evening of one minute at ten times the baseline, for faults to strike. */
const BUSY_EVENING: readonly Phase[] = [
  { name: 'the evening fills', durationMs: 5_000, arrivals: { from: 1, to: 10 } },
  { name: 'busy evening', durationMs: 55_000, arrivals: 10 },
]

const INPUTS: readonly Omit<StormInput, 'baselinePerSecond'>[] = [
  {
    name: 'premiere',
    description: 'A quiet evening, fifty times as many within ten seconds, and the exit rush when the film ends',
    phases: [
      { name: 'quiet evening', durationMs: 15_000, arrivals: 1 },
      { name: 'spike', durationMs: 10_000, arrivals: { from: 1, to: 50 } },
      { name: 'hold', durationMs: 20_000, arrivals: 50 },
      { name: 'exit rush', durationMs: 15_000, arrivals: { from: 25, to: 1 }, premiereEnds: { spreadMs: 3_000 } },
    ],
    operations: [{ kind: 'withdraw', atMs: 30_000 }],
  },
  {
    name: 'spike-50x',
    description: 'Fifty times the baseline within ten seconds, held, and gone again',
    phases: [
      { name: 'quiet evening', durationMs: 10_000, arrivals: 1 },
      { name: 'spike', durationMs: 10_000, arrivals: { from: 1, to: 50 } },
      { name: 'hold', durationMs: 25_000, arrivals: 50 },
      { name: 'fall', durationMs: 15_000, arrivals: { from: 50, to: 1 } },
    ],
    operations: [{ kind: 'withdraw', atMs: 25_000 }],
  },
  {
    name: 'exit-rush',
    description: 'A full house watches; the film ends, and everyone is back on the home screen within three seconds',
    phases: [
      { name: 'doors open', durationMs: 10_000, arrivals: { from: 1, to: 40 } },
      { name: 'full house', durationMs: 25_000, arrivals: 40 },
      { name: 'exit rush', durationMs: 25_000, arrivals: 10, premiereEnds: { spreadMs: 3_000 } },
    ],
    // Almost all came for it: the rush is to be as high as it gets.
    titles: { premiereShare: 0.95 },
    operations: [{ kind: 'withdraw', atMs: 20_000 }],
  },
  {
    name: 'cell-down',
    description: 'Cell b is dead for eight seconds; viewers of cell a notice nothing',
    phases: BUSY_EVENING,
    faults: [{ kind: 'down', role: 'cell-b', atMs: 25_000, forMs: 8_000 }],
    operations: [{ kind: 'withdraw', atMs: 12_000 }],
    objectives: { ...ALWAYS, sparedCellsErrorsMax: 0, recoveryMsMax: RECOVERY_MS_MAX },
  },
  {
    name: 'control-down',
    description: 'Control is dead for fifteen seconds, just after a withdrawal; viewers notice nothing',
    phases: BUSY_EVENING,
    faults: [{ kind: 'down', role: 'control', atMs: 20_000, forMs: 15_000 }],
    // Acknowledged in time, and in force everywhere though control is dead by then.
    operations: [{ kind: 'withdraw', atMs: 16_000 }],
    objectives: { ...UNDISTURBED, errorRatioMax: 0, recoveryMsMax: RECOVERY_MS_MAX },
  },
  {
    name: 'store-down',
    description: 'The store is killed twice within a second, and once more later; what was acknowledged is kept',
    phases: BUSY_EVENING,
    faults: [
      { kind: 'kill', role: 'store', atMs: 20_000, times: 2, everyMs: 1_000 },
      { kind: 'kill', role: 'store', atMs: 35_000 },
    ],
    operations: [{ kind: 'withdraw', atMs: 12_000 }],
    objectives: {
      ...ALWAYS,
      // Plays wait for the store within their deadline, so they are slow for a moment and do not fail.
      errorRatioMax: 0.001,
      homeP99MsMax: 500,
      rebufferRatioMax: 0.01,
      recoveryMsMax: RECOVERY_MS_MAX,
    },
  },
  {
    name: 'worker-carnage',
    description: 'Four films are being made while all workers are killed every two seconds; all get published',
    phases: BUSY_EVENING,
    platform: { workers: 2 },
    faults: [{ kind: 'kill', role: 'worker-*', atMs: 12_000, times: 10, everyMs: 2_000 }],
    operations: [
      { kind: 'publish', atMs: 11_500, filmMs: 30_000 },
      { kind: 'publish', atMs: 15_000, filmMs: 20_000 },
      { kind: 'publish', atMs: 19_000, filmMs: 20_000 },
      { kind: 'publish', atMs: 23_000, filmMs: 20_000 },
      { kind: 'withdraw', atMs: 20_000 },
    ],
    objectives: { ...UNDISTURBED, unpublishedMax: 0, recoveryMsMax: RECOVERY_MS_MAX },
  },
  {
    name: 'disk-full',
    description:
      'Not one byte fits on the disk for fifteen seconds; nothing acknowledged is lost, and it heals by itself',
    phases: BUSY_EVENING,
    platform: { diskBytes: 400 * MIB },
    faults: [{ kind: 'disk-full', atMs: 22_000, forMs: 15_000 }],
    operations: [{ kind: 'withdraw', atMs: 12_000 }],
    // New plays are refused meanwhile, since none could be kept; who browses or plays goes on.
    objectives: { ...ALWAYS, homeP99MsMax: 500, rebufferRatioMax: 0.01, recoveryMsMax: RECOVERY_MS_MAX },
  },
]

/** What `--scenario NAME` knows, the default first. */
export const SCENARIOS: readonly Scenario[] = INPUTS.map((input) =>
  defineStorm({ baselinePerSecond: BASELINE_PER_SECOND, ...input }),
)

export const DEFAULT_SCENARIO = 'premiere'
