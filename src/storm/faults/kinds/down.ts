import type { FaultPlan } from '../plan.ts'
import { victimsOf, whyNobody } from '../roles.ts'
import { type DecideFault, end, type FaultEffect, fail, nothing, struckBy, whyNeverStruck } from './kind.ts'

export type DownPlan = Extract<FaultPlan, { kind: 'down' }>

/** kill -9, and again as soon as there is a new process, until the time is over. */
export const decideDown: DecideFault<DownPlan> = (plan, state, nowMs, roles) => {
  if (state.phase === 'over' || nowMs < plan.atMs) return nothing(state)
  if (nowMs >= plan.atMs + plan.forMs) return state.strikes > 0 ? end(state) : fail(state, whyNeverStruck(plan))
  if (roles === null) return nothing(state)
  const why = whyNobody(plan.role, roles)
  if (why !== null) return fail(state, why)
  const victims = victimsOf(plan.role, roles).filter(({ pid }) => !state.pids.includes(pid))
  if (victims.length === 0) return nothing(state)
  const effects: FaultEffect[] = victims.map((victim) => ({ type: 'kill', victim }))
  if (state.strikes === 0) effects.push({ type: 'mark', phase: 'struck', roles: victims.map(({ role }) => role) })
  return { state: struckBy(state, victims), effects }
}
