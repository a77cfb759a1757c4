import type { Bounds, Objectives } from '../scenario.ts'
import { type Evidence, OBJECTIVE_KINDS, type ObjectiveKind } from './objectives.ts'
import type { ObjectiveResult, StormReport } from './report.ts'
import { formatCount, formatLimit, formatMoment, formatMs, plural } from './words.ts'

/** Above this the crowd itself was late, and what it measured is not the platform's. */
export const GENERATOR_LAG_P99_MAX_MS = 5

/** What decides whether a run says anything at all. */
export type RunFacts = Pick<StormReport, 'generator' | 'faults' | 'totals'> & {
  /** Viewers that the scenario's clock asked for, and those who came. */
  readonly arrivals: { readonly planned: number; readonly made: number }
  readonly endedEarly: EndedEarly | null
  /** Storm started the platform, and so can measure all of it. */
  readonly ownPlatform: boolean
}

/** A storm longer than its `durationMsMax` is refused before it begins. */
export type ReachableBound = Exclude<keyof Bounds, 'durationMsMax'>

export type EndedEarly =
  | { readonly kind: 'bound'; readonly bound: ReachableBound; readonly limit: number; readonly atMs: number }
  | { readonly kind: 'interrupted'; readonly atMs: number }

export type Judgement = Pick<StormReport, 'verdict' | 'invalidBecause' | 'objectives'>

/** The verdict of a run: invalid where it says nothing, failed where an objective is missed, else passed. */
export function decideVerdict(run: Evidence & RunFacts, objectives: Objectives): Judgement {
  const results = judge(run, objectives)
  const invalidBecause = [...decideValidity(run), ...decideBlindness(results, run)]
  const missed = results.some((result) => result.outcome === 'missed')
  const verdict = invalidBecause.length > 0 ? 'invalid' : missed ? 'failed' : 'passed'
  return { verdict, invalidBecause, objectives: results }
}

/** One result for each objective that is set, in the order of `OBJECTIVE_KINDS`. */
export function judge(evidence: Evidence, objectives: Objectives): ObjectiveResult[] {
  return OBJECTIVE_KINDS.flatMap((kind) => {
    const limit = objectives[kind.id]
    return limit === undefined ? [] : [judgeOne(kind, limit, evidence)]
  })
}

function judgeOne(kind: ObjectiveKind, limit: number, evidence: Evidence): ObjectiveResult {
  const { id, name, bound, unit } = kind
  const line = { id, name, limit, bound, unit }
  const found = kind.measure(evidence)
  if ('why' in found) return { ...line, measured: null, outcome: 'not-measured', detail: found.why }
  if (!Number.isFinite(found.value)) {
    const detail = `expected a figure, got ${found.value}: look at the request and viewer figures of the report`
    return { ...line, measured: null, outcome: 'not-measured', detail }
  }
  const within = bound === 'max' ? found.value <= limit : found.value >= limit
  const outcome = within && found.missed !== true ? 'met' : 'missed'
  return { ...line, measured: found.value, outcome, detail: `${found.said}; limit ${formatLimit(line)}` }
}

/** Why the run says nothing, if so: each reason says what was expected, what was got, and what to do. */
export function decideValidity(facts: RunFacts): string[] {
  return [
    ...findLag(facts),
    ...findEarlyEnd(facts),
    ...findMissingArrivals(facts),
    ...findSilence(facts),
    ...findFailedFaults(facts),
  ]
}

function findLag({ generator }: RunFacts): string[] {
  // Written so that a lag that is not a number is a reason too.
  if (generator.lagP99Ms <= GENERATOR_LAG_P99_MAX_MS) return []
  const found = `the generator's lag p99 was ${formatMs(generator.lagP99Ms)}, at most ${formatMs(GENERATOR_LAG_P99_MAX_MS)} is believable`
  return [`${found}: give it a core of its own or lower the baseline`]
}

const BOUND_WORDS: Readonly<Record<ReachableBound, (limit: number) => string>> = {
  viewersMax: (limit) => plural(limit, 'viewer'),
  requestsMax: (limit) => plural(limit, 'request'),
}

function findEarlyEnd({ endedEarly }: RunFacts): string[] {
  if (endedEarly === null) return []
  const at = formatMoment(endedEarly.atMs)
  if (endedEarly.kind === 'interrupted') return [`it was interrupted at ${at}: let it run to its end`]
  const bound = BOUND_WORDS[endedEarly.bound](endedEarly.limit)
  return [`it ended at ${at} at its bound of ${bound}: raise ${endedEarly.bound} or lower the baseline`]
}

function findMissingArrivals({ arrivals, endedEarly }: RunFacts): string[] {
  if (endedEarly !== null || arrivals.made >= arrivals.planned) return []
  const found = `${formatCount(arrivals.made)} of ${plural(arrivals.planned, 'viewer')} arrived`
  return [`${found}: the generator did not keep the scenario's clock; lower the baseline`]
}

function findSilence({ totals }: RunFacts): string[] {
  return totals.requests > 0 ? [] : ['no request was made: lengthen the storm or raise the baseline']
}

function findFailedFaults({ faults }: RunFacts): string[] {
  return faults.flatMap((fault) => {
    if (fault.failure !== null) return [`a fault could not strike (${fault.label}): ${fault.failure}`]
    const struck = fault.marks.some((mark) => mark.phase === 'struck')
    return struck ? [] : [`a fault never struck (${fault.label}): the storm ended before it was due`]
  })
}

/** A verdict in which nothing could be measured would pass whatever happened; on a platform of storm's own nothing may be left out. */
function decideBlindness(results: readonly ObjectiveResult[], { ownPlatform, endedEarly }: RunFacts): string[] {
  const unmeasured = results.filter((result) => result.outcome === 'not-measured')
  if (ownPlatform && endedEarly === null && unmeasured.length > 0 && unmeasured.length < results.length)
    return unmeasured.map(({ name, detail }) => `${name} could not be measured: ${detail}`)
  const blind = results.length > 0 && results.every((result) => result.outcome === 'not-measured')
  return blind ? ['none of its objectives could be measured: see why in each'] : []
}
