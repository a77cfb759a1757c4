import type { FaultPlan } from '../plan.ts'
import { victimsOf, whyNobody } from '../roles.ts'
import {
  type DecideFault,
  end,
  endAtStrike,
  type FaultEffect,
  fail,
  nothing,
  struckBy,
  whyNeverStruck,
} from './kind.ts'

export type KillPlan = Extract<FaultPlan, { kind: 'kill' }>

const EVERY_MS = 1_000
/** How long a strike waits for a process that has not come back from the one before. */
const PATIENCE_MS = 15_000

/** kill -9 of every process the role's name means, `times` times; each time of processes that were not killed before. */
export const decideKill: DecideFault<KillPlan> = (plan, state, nowMs, roles) => {
  const { times = 1, everyMs = EVERY_MS } = plan
  const dueMs = plan.atMs + state.strikes * everyMs
  if (state.phase === 'over' || nowMs < dueMs || roles === null) return nothing(state)
  const why = whyNobody(plan.role, roles)
  if (why !== null) return fail(state, why)
  const victims = victimsOf(plan.role, roles).filter(({ pid }) => !state.pids.includes(pid))
  if (victims.length === 0) {
    if (nowMs < dueMs + PATIENCE_MS) return nothing(state)
    // A platform that does not come back from a kill is what a storm is there to find.
    if (state.strikes > 0) return endAtStrike(state)
    return fail(state, whyNeverStruck({ role: plan.role, forMs: PATIENCE_MS }))
  }
  const next = struckBy(state, victims)
  const effects: FaultEffect[] = [
    ...victims.map((victim): FaultEffect => ({ type: 'kill', victim })),
    { type: 'mark', phase: 'struck', roles: victims.map(({ role }) => role) },
  ]
  if (next.strikes < times) return { state: next, effects }
  return end(next, ...effects)
}
