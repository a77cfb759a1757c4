import { describeFault } from '../faults/describe.ts'
import type { FaultMark, FaultPlan } from '../faults/plan.ts'
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

/** What became of each fault of the plan; `failures` says why some could not strike. */
export function toFaultResults(outcome: {
  readonly plans: readonly FaultPlan[]
  readonly marks: readonly FaultMark[]
  readonly failures: ReadonlyMap<string, string>
  readonly samples: readonly Pick<Sample, 'atMs' | 'errors'>[]
  readonly health: readonly HealthSample[]
}): FaultResult[] {
  return outcome.plans.map((plan) => {
    const { id, label } = describeFault(plan)
    const marks = outcome.marks.filter((mark) => mark.faultId === id)
    return {
      id,
      label,
      roles: [...new Set(marks.flatMap((mark) => mark.roles))],
      marks,
      recoveredAfterMs: recoveryAfterMs(marks, outcome.samples, outcome.health),
      failure: outcome.failures.get(id) ?? null,
    }
  })
}
