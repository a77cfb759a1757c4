import type { DueSecond } from '../crowd/index.ts'
import { describeFault } from '../faults/describe.ts'
import type { FaultMark, FaultPlan } from '../faults/plan.ts'
import type { FaultResult } from '../report/report.ts'

/** The roles that were not healthy when the supervisor was asked; null: it did not answer. */
export type HealthSample = { readonly atMs: number; readonly down: readonly string[] | null }

export type Recovering = {
  readonly marks: readonly FaultMark[]
  /** When the next fault struck, or the storm ended: what goes wrong after that is another story. */
  readonly untilMs: number
  /** By the second in which requests were due. */
  readonly due: readonly DueSecond[]
  readonly health: readonly HealthSample[]
}

/**
 * From a fault's end to recovery: every role healthy and staying so, and a second begun whose requests all succeed, however
 * late the failures of the seconds before came in. Null when that never came, or when the fault has no end. Of several
 * marks (a role killed again and again) the last one counts.
 */
export function recoveryAfterMs({ marks, untilMs, due, health }: Recovering): number | null {
  const ended = marks.filter((mark) => mark.phase === 'ended').at(-1)
  if (!ended) return null
  const healthyMs = healthyFromMs(health, ended.atMs, untilMs)
  const cleanMs = cleanFromMs(due, ended.atMs, untilMs)
  if (healthyMs === null || cleanMs === null) return null
  return Math.max(0, cleanMs - ended.atMs, healthyMs - ended.atMs)
}

/** The end of the last bad look, or the first look after the end when there was none. A supervisor that does not answer is a bad look. */
function healthyFromMs(health: readonly HealthSample[], endedMs: number, untilMs: number): number | null {
  const looks = health.filter(({ atMs }) => atMs >= endedMs && atMs < untilMs)
  const lastBad = looks.findLastIndex(({ down }) => down === null || down.length > 0)
  // Later looks count when the storm is over: it waits for the roles.
  const next = lastBad < 0 ? looks[0] : looks[lastBad + 1]
  if (next) return next.atMs
  const after = health.find(({ atMs, down }) => atMs >= untilMs && down !== null && down.length === 0)
  return after?.atMs ?? null
}

/** The fault's end when the second it ended in has no failure at all, else the begin of the first one without after the last with. */
function cleanFromMs(due: readonly DueSecond[], endedMs: number, untilMs: number): number | null {
  const first = Math.floor(endedMs / SECOND_MS)
  const last = Math.min(due.length, Math.ceil(untilMs / SECOND_MS)) - 1
  let badAt = -1
  for (let second = first; second <= last; second++) if ((due[second]?.errors ?? 0) > 0) badAt = second
  if (badAt < 0) return endedMs
  const clean = due[badAt + 1]
  return badAt < last && clean && clean.requests > 0 ? (badAt + 1) * SECOND_MS : null
}

const SECOND_MS = 1_000

/** What became of each fault of the plan; `failures` says why some could not strike. */
export function toFaultResults(outcome: {
  readonly plans: readonly FaultPlan[]
  readonly marks: readonly FaultMark[]
  readonly failures: ReadonlyMap<string, string>
  readonly ranMs: number
  readonly due: readonly DueSecond[]
  readonly health: readonly HealthSample[]
}): FaultResult[] {
  const { due, health } = outcome
  return outcome.plans.map((plan) => {
    const { id, label } = describeFault(plan)
    const marks = outcome.marks.filter((mark) => mark.faultId === id)
    const endedMs = marks.filter((mark) => mark.phase === 'ended').at(-1)?.atMs ?? 0
    const others = outcome.marks.filter((mark) => mark.faultId !== id && mark.phase === 'struck' && mark.atMs > endedMs)
    const untilMs = Math.min(outcome.ranMs, ...others.map((mark) => mark.atMs))
    return {
      id,
      label,
      roles: [...new Set(marks.flatMap((mark) => mark.roles))],
      marks,
      recoveredAfterMs: recoveryAfterMs({ marks, untilMs, due, health }),
      failure: outcome.failures.get(id) ?? null,
    }
  })
}
