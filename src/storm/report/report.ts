import type { FaultMark } from '../faults/plan.ts'
import type { RequestKind } from '../viewer/protocol.ts'

export const REPORT_VERSION = 1

/** `report.json`. Times are ms from the storm's begin, latencies ms, ratios 0 to 1. */
export type StormReport = {
  readonly version: typeof REPORT_VERSION
  readonly id: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly tool: { readonly version: string; readonly bun: string }
  readonly machine: { readonly cores: number; readonly memoryBytes: number; readonly os: string }
  readonly seed: number
  /** The command that blows the same storm again. */
  readonly repeat: string
  readonly scenario: {
    readonly name: string
    readonly description: string
    readonly baselinePerSecond: number
    readonly durationMs: number
    readonly phases: readonly { readonly name: string; readonly fromMs: number; readonly toMs: number }[]
  }
  readonly target: { readonly url: string; readonly startedByStorm: boolean; readonly version: string | null }
  readonly verdict: Verdict
  /** Why it says nothing; empty unless the verdict is `invalid`. */
  readonly invalidBecause: readonly string[]
  readonly objectives: readonly ObjectiveResult[]
  readonly totals: Totals
  readonly requests: readonly RequestFigures[]
  readonly cells: readonly CellFigures[]
  readonly series: readonly Sample[]
  readonly timeline: readonly TimelineEntry[]
  readonly faults: readonly FaultResult[]
  readonly probes: readonly ProbeResult[]
  readonly journal: JournalResult
  readonly generator: GeneratorFigures
}

export type Verdict = 'passed' | 'failed' | 'invalid'

export type ObjectiveResult = {
  /** The key in `Objectives`. */
  readonly id: string
  readonly name: string
  readonly limit: number
  readonly bound: 'max' | 'min'
  readonly unit: 'ratio' | 'ms' | 'count'
  /** Null when it could not be measured; `detail` says why. */
  readonly measured: number | null
  readonly outcome: 'met' | 'missed' | 'not-measured'
  readonly detail: string
}

export type Totals = {
  readonly viewers: number
  readonly viewersPeak: number
  readonly requests: number
  /** Of them, those whose viewer left before the answer came: neither failed nor answered. */
  readonly abandoned: number
  readonly requestsPerSecondPeak: number
  readonly errors: number
  /** By what failed: a status (`503`), `timeout`, `connection`, `unreadable`. */
  readonly errorsByReason: Readonly<Record<string, number>>
  readonly bytes: number
  readonly plays: number
  readonly started: number
  readonly gaveUp: number
  /** Startups of which the wait is known: seen, given up, or cut off by the storm's end. */
  readonly startups: number
  readonly startupP50Ms: number
  readonly startupP95Ms: number
  readonly playedMs: number
  readonly stalledMs: number
  readonly stalls: number
  /** Media files (init, segment, art) whose answer carried Cache-Status (RFC 9211), and of those the ones without a fetch of their own. */
  readonly offloadKnown: number
  readonly offloadHits: number
}

export type RequestFigures = {
  readonly kind: RequestKind
  readonly count: number
  readonly errors: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export type CellFigures = {
  readonly cell: string
  readonly viewers: number
  readonly requests: number
  readonly errors: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** One second. Latencies are null in a second without an answer. */
export type Sample = {
  readonly atMs: number
  readonly browsing: number
  readonly starting: number
  readonly playing: number
  readonly stalled: number
  readonly arrivals: number
  readonly requests: number
  readonly errors: number
  readonly bytes: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly homeP99Ms: number | null
  readonly playbackP99Ms: number | null
  /** Of those who saw their first picture in this second. */
  readonly startupP95Ms: number | null
  readonly gaveUp: number
  readonly lagP99Ms: number
  /** Of one core, 0 to 1 and above. */
  readonly cpu: number
  readonly rssBytes: number
  readonly errorsByCell: Readonly<Record<string, number>>
  /** Roles that were down at some time in the second; null where storm cannot see inside. */
  readonly rolesDown: readonly string[] | null
}

export type TimelineEntry = {
  readonly atMs: number
  readonly kind: 'phase' | 'fault' | 'recovered' | 'operation' | 'violation' | 'note'
  readonly label: string
}

export type FaultResult = {
  readonly id: string
  readonly label: string
  readonly roles: readonly string[]
  readonly marks: readonly FaultMark[]
  /** From its end to recovery; null when it never recovered within the storm, or never struck. */
  readonly recoveredAfterMs: number | null
  /** Why it could not strike. */
  readonly failure: string | null
}

/** An invariant watched during the storm. */
export type ProbeResult = {
  readonly id: 'listed-plays' | 'signature-needed' | 'withdrawn-stops' | 'resume-exact'
  readonly name: string
  readonly checks: number
  readonly violations: readonly { readonly atMs: number; readonly what: string }[]
  /** Why it was not watched, or not to its end. */
  readonly notProbed: string | null
}

export type JournalResult = {
  readonly acknowledged: number
  readonly lost: number
  readonly doubled: number
  /** The same event more than once on the log: a redelivery, without effect. */
  readonly redelivered: number
  /** Why the log could not be read. */
  readonly notChecked: string | null
}

export type GeneratorFigures = {
  readonly lagP50Ms: number
  readonly lagP99Ms: number
  readonly lagMaxMs: number
  readonly cpuMean: number
  readonly cpuMax: number
  readonly rssBytesMax: number
  /** Whether the system let it go before other processes. */
  readonly priorityRaised: boolean
}
