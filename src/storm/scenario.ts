import type { FaultPlan } from './faults/plan.ts'
import type { ViewerHabits } from './viewer/habits.ts'

/** All times are ms from the storm's begin unless they say otherwise; arrivals are viewers who open the home page. */
export type Scenario = {
  readonly name: string
  readonly description: string
  /** What 1x is: viewers who arrive per second on a quiet evening. */
  readonly baselinePerSecond: number
  readonly phases: readonly Phase[]
  /** Who comes; the weights need not add up to anything. */
  readonly populations: readonly Population[]
  readonly titles: TitleLaw
  readonly habits: ViewerHabits
  readonly faults: readonly FaultPlan[]
  /** What operators do meanwhile; needs a platform that storm may operate. */
  readonly operations: readonly Operation[]
  readonly objectives: Objectives
  readonly bounds: Bounds
  /** What a platform that storm starts itself is made of. */
  readonly platform: PlatformNeeds
}

export type Phase = {
  readonly name: string
  readonly durationMs: number
  /** Times the baseline: a level, or a ramp that rises or falls evenly over the phase. */
  readonly arrivals: number | { readonly from: number; readonly to: number }
  /** The premiere ends as this phase begins: whoever watches it goes home within `spreadMs`. */
  readonly premiereEnds?: { readonly spreadMs: number }
}

export type Population = {
  readonly weight: number
  readonly country: string
  readonly tier: 'free' | 'standard' | 'premium'
  readonly platform: 'web' | 'ios' | 'android' | 'tv'
  /** What a viewer's line carries, bits per second: segments arrive no faster, however near the server is. */
  readonly lineBps: number
}

/** Who chooses what: `premiereShare` the premiere, the others by Zipf's law, weight of rank r is r^-exponent, in the order they are listed. */
export type TitleLaw = { readonly premiereShare: number; readonly zipfExponent: number }

export type Operation =
  /** Uploads a film of that length and follows it; it must be published before the report. */
  | { readonly kind: 'publish'; readonly atMs: number; readonly filmMs: number }
  /** Withdraws a title made for this purpose and watches how long its segments are still served. */
  | { readonly kind: 'withdraw'; readonly atMs: number }

/** A line of the verdict each; one left out is not judged. Ratios are from 0 to 1. */
export type Objectives = {
  /** Requests that failed, of all. */
  readonly errorRatioMax?: number
  readonly homeP99MsMax?: number
  readonly playbackP99MsMax?: number
  /** From the click on Play to the first picture; whoever gave up before counts with the time they waited. */
  readonly startupP95MsMax?: number
  /** Time stalled because the buffer ran dry, of time playing or stalled; waits after a seek do not count. */
  readonly rebufferRatioMax?: number
  /** Viewers who gave up, of all who came. */
  readonly viewersLostRatioMax?: number
  /** Media files that the edge served without asking its origin, of all (playlists are made per request and do not count). */
  readonly originOffloadMin?: number
  /** Acknowledged sessions and signals that are not on the log. */
  readonly eventsLostMax?: number
  /** Sessions and signals on the log beyond those that were sent. */
  readonly eventsDoubledMax?: number
  /** From a fault's end until the platform is healthy again and a second without errors begins. */
  readonly recoveryMsMax?: number
  /** Requests that failed in cells that no fault was aimed at. */
  readonly sparedCellsErrorsMax?: number
  /** Films of `publish` operations that were not published in the end. */
  readonly unpublishedMax?: number
  /** DESIGN.md's invariants as seen from outside; violations found by the probes. */
  readonly violationsMax?: number
}

/** The storm ends where one is reached, and is then not valid. */
export type Bounds = {
  readonly viewersMax: number
  readonly requestsMax: number
  readonly durationMsMax: number
}

export type PlatformNeeds = {
  readonly workers: number
  /** Length of the premiere and of each other title, ms of film. */
  readonly premiereMs: number
  readonly titles: number
  readonly titleMs: number
  /** Size of the file system that the platform's home is on; null: the disk there is. `disk-full` needs a size. */
  readonly diskBytes: number | null
}

/** The whole length of all phases, ms. */
export function durationOf(scenario: Pick<Scenario, 'phases'>): number {
  return scenario.phases.reduce((sum, phase) => sum + phase.durationMs, 0)
}
