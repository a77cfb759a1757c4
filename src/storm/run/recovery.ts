import type { FaultMark } from '../faults/plan.ts'
import type { FaultResult, Sample } from '../report/report.ts'

/** The roles that were not healthy when the supervisor was asked; null: it did not answer. */
export type HealthSample = { readonly atMs: number; readonly down: readonly string[] | null }

/**
 * From a fault's end to recovery: every role healthy, and a second without a failed request begun. Null when that never
 * came, or when the fault has no end. Of several marks (a role killed again and again) the last one counts.
 */
export function recoveryAfterMs(
  marks: readonly FaultMark[],
  samples: readonly Pick<Sample, 'atMs' | 'errors'>[],
  health: readonly HealthSample[],
): number | null {
  const ended = marks.filter((mark) => mark.phase === 'ended').at(-1)
  if (!ended) return null
  const errorless = samples.find((sample) => sample.atMs > ended.atMs && sample.errors === 0)
  if (!errorless) return null
  const healthy = health.find((each) => each.atMs >= ended.atMs && each.down !== null && each.down.length === 0)
  if (!healthy) return null
  const previousAtMs = samples[samples.indexOf(errorless) - 1]?.atMs ?? 0
  return Math.max(0, previousAtMs - ended.atMs, healthy.atMs - ended.atMs)
}

/** What became of each fault, from all marks. */
export function toFaultResults(
  marks: readonly FaultMark[],
  samples: readonly Pick<Sample, 'atMs' | 'errors'>[],
  health: readonly HealthSample[],
  failures: ReadonlyMap<string, string>,
): FaultResult[] {
  const byId = Map.groupBy(marks, (mark) => mark.faultId)
  return [...byId].map(([id, own]) => ({
    id,
    label: own[0]?.label ?? id,
    roles: [...new Set(own.flatMap((mark) => mark.roles))],
    marks: own,
    recoveredAfterMs: recoveryAfterMs(own, samples, health),
    failure: failures.get(id) ?? null,
  }))
}
