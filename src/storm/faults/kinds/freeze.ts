import type { FaultPlan } from '../plan.ts'
import { victimsOf, whyNobody } from '../roles.ts'
import { type DecideFault, end, type FaultEffect, fail, nothing, struckBy, whyNeverStruck } from './kind.ts'

export type FreezePlan = Extract<FaultPlan, { kind: 'freeze' }>

/** SIGSTOP, and SIGCONT in the end to the very processes that were stopped: the supervisor may have replaced them meanwhile. */
export const decideFreeze: DecideFault<FreezePlan> = (plan, state, nowMs, roles) => {
  const endMs = plan.atMs + plan.forMs
  if (state.phase === 'over' || nowMs < plan.atMs) return nothing(state)
  if (state.phase === 'active') return nowMs < endMs ? nothing(state) : end(state, { type: 'thaw' })
  if (nowMs >= endMs) return fail(state, whyNeverStruck(plan))
  if (roles === null) return nothing(state)
  const why = whyNobody(plan.role, roles)
  if (why !== null) return fail(state, why)
  const victims = victimsOf(plan.role, roles)
  if (victims.length === 0) return nothing(state)
  const effects: FaultEffect[] = [
    ...victims.map((victim): FaultEffect => ({ type: 'freeze', victim, forMs: endMs - nowMs })),
    { type: 'mark', phase: 'struck', roles: victims.map(({ role }) => role) },
  ]
  return { state: struckBy(state, victims), effects }
}
