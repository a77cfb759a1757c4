import type { CacheOutcome, EdgeMetrics, EdgeSample, EdgeView } from '../../../src/contracts/index.ts'
import type { Result } from '../../common/problem.ts'

/** What happened in the period that ended at `atMs`, per second; null over a restart of the edge. */
export type EdgeMoment = {
  readonly atMs: number
  readonly requests: number | null
  readonly hits: number | null
  readonly misses: number | null
  readonly errors: number | null
  readonly bytes: number | null
  /** Per cent; null also when nothing was asked for that a cache may answer. */
  readonly hitPercent: number | null
}

/** A period between each two samples. Pure. */
export function toMoments(samples: readonly EdgeSample[]): EdgeMoment[] {
  return samples.slice(1).map((after, at) => toMoment(samples[at] ?? after, after))
}

function toMoment(before: EdgeSample, after: EdgeSample): EdgeMoment {
  const seconds = (after.atMs - before.atMs) / 1000
  const { atMs } = after
  if (before.startedAtMs !== after.startedAtMs || !(seconds > 0))
    return { atMs, requests: null, hits: null, misses: null, errors: null, bytes: null, hitPercent: null }
  const hits = after.hits + after.stale - before.hits - before.stale
  const misses = after.misses - before.misses
  return {
    atMs,
    requests: (after.requests - before.requests) / seconds,
    hits: hits / seconds,
    misses: misses / seconds,
    errors: (after.errors - before.errors) / seconds,
    bytes: (after.bytes - before.bytes) / seconds,
    hitPercent: percentOf(hits, hits + misses),
  }
}

export function percentOf(part: number, whole: number): number | null {
  return whole > 0 ? (part / whole) * 100 : null
}

/** `98.7%`; a part that is not all is never rounded to 100. */
export function formatPercent(percent: number | null): string {
  if (percent === null) return '–'
  const text = percent > 99.9 && percent < 100 ? (Math.floor(percent * 100) / 100).toFixed(2) : percent.toFixed(1)
  return `${text.replace(/\.0$/, '')}%`
}

/** `0.4`, `12`, `60,312`. */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null) return '–'
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US')
}

export type OutcomeRow = {
  readonly cache: CacheOutcome
  readonly requests: number
  readonly percent: number | null
  readonly bytes: number
  /** From a request's head to its answer's last byte, on average. */
  readonly averageMs: number
}

/** What the cache did since the edge started; outcomes that never happened are left out. */
export function listOutcomes({ requests, outcomes }: EdgeMetrics): OutcomeRow[] {
  const countOf = (cache: CacheOutcome): number =>
    requests.reduce((sum, request) => sum + (request.cache === cache ? request.count : 0), 0)
  const all = requests.reduce((sum, { count }) => sum + count, 0)
  return outcomes.flatMap(({ cache, bytes, durationSumS }) => {
    const count = countOf(cache)
    if (count === 0) return []
    return [{ cache, requests: count, percent: percentOf(count, all), bytes, averageMs: (durationSumS * 1000) / count }]
  })
}

/** The title that an object or a tag belongs to: a part of its name is the title's id. */
export function titleIn(name: string, isTitle: (id: string) => boolean): string | null {
  return name.split(/[/:]/).find((part) => isTitle(part)) ?? null
}

/** What the page shows: the last answer, and what went wrong since. */
export type EdgeState = { readonly view: EdgeView | null; readonly problem: string | null }
export const FIRST_EDGE: EdgeState = { view: null, problem: null }

export function decideEdge(state: EdgeState, answer: Result<EdgeView>): EdgeState {
  return answer.ok ? { view: answer.value, problem: null } : { ...state, problem: answer.problem.detail }
}

/** Periods without a word after which figures are called old. */
const SILENT_PERIODS = 3

/** Why what is shown may no longer be so, or null. */
export function whyStale({ view, problem }: EdgeState): string | null {
  if (view === null || view.heardAtMs === null) return null
  if (problem !== null) return problem
  const isSilent = view.atMs - view.heardAtMs > SILENT_PERIODS * view.periodMs
  return isSilent ? 'The edge does not say what it counts.' : null
}
