import type { Logger } from '../../kernel/index.ts'
import type { Crowd, Recorder, Reply } from '../crowd/index.ts'
import type { Faults } from '../faults/index.ts'
import type { FaultMark } from '../faults/plan.ts'
import type { Journal, Probes } from '../probes/index.ts'
import type { EndedEarly } from '../report/judge.ts'
import type { Sample, TimelineEntry, Totals } from '../report/report.ts'
import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import type { Target } from '../target.ts'
import type { ListedTitle, ViewerRequest } from '../viewer/index.ts'
import type { HealthWatch } from './health.ts'
import type { Operations } from './operations.ts'

export type StormOptions = {
  readonly scenario: Scenario
  readonly stage: Stage
  /** Checked already; a fault proxy in front of it is storm's own and on loopback. */
  readonly target: Target
  readonly seed: number
  readonly toolVersion: string
  /** What to type to blow it again. */
  readonly repeat: string
  readonly logger: Logger
  readonly onPhase?: (name: string) => void
  readonly onSample?: (sample: Sample, totals: Totals) => void
  readonly onMark?: (entry: TimelineEntry) => void
  /** Told of each answer to a viewer, before the viewer is. */
  readonly onAnswer?: (request: ViewerRequest, reply: Reply) => void
  /** What viewers choose from, in the order of its ranks, in place of what home shows: those who search, or follow a link, see all there is. */
  readonly choices?: readonly ListedTitle[]
  /** Ends the storm early; the report says so. Before the storm's begin there is none: `runStorm` rejects with its reason. */
  readonly interrupt?: AbortSignal
  /** Arrivals evenly spaced instead of by chance. */
  readonly even?: boolean
}

/** All that is at work during a storm. */
export type Storm = StormOptions & {
  readonly interrupt: AbortSignal
  readonly recorder: Recorder
  readonly crowd: Crowd
  readonly arrivalsPlanned: number
  readonly faults: Faults | null
  readonly probes: Probes
  readonly journal: Journal
  readonly operations: Operations
  readonly health: HealthWatch
  readonly priorityRaised: boolean
  readonly startedAt: Date
  readonly timeline: TimelineEntry[]
  readonly marks: FaultMark[]
  /** 0 until it begins. */
  readonly nowMs: () => number
  readonly begin: () => void
  /** The bound it has reached, if any. */
  readonly bound: () => EndedEarly | null
  readonly mark: (kind: TimelineEntry['kind'], label: string, atMs?: number) => void
}
