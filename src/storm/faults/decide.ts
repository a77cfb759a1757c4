import type { PlatformStatus, RoleStatus } from '../../contracts/index.ts'
import { describeFault } from './describe.ts'
import { decideDiskFull } from './kinds/disk-full.ts'
import { decideDown } from './kinds/down.ts'
import { decideFreeze } from './kinds/freeze.ts'
import { decideKill } from './kinds/kill.ts'
import { FAULT_WAITING, type FaultDecision, type FaultEffect, type FaultState } from './kinds/kind.ts'
import { decideLink } from './kinds/link.ts'
import type { FaultPlan } from './plan.ts'

/** Where every fault stands, by its id. */
export type StrikesState = ReadonlyMap<string, FaultState>

export type Strike = { readonly faultId: string; readonly effects: readonly FaultEffect[] }

export function createStrikes(plans: readonly FaultPlan[]): StrikesState {
  return new Map(plans.map((plan) => [describeFault(plan).id, FAULT_WAITING]))
}

/** What is to be done now, fault by fault. Pure; `status` is null where the supervisor did not answer or was not asked. */
export function decideStrikes(
  plans: readonly FaultPlan[],
  nowMs: number,
  state: StrikesState,
  status: PlatformStatus | null,
): { readonly state: StrikesState; readonly strikes: readonly Strike[] } {
  const next = new Map(state)
  const strikes: Strike[] = []
  for (const plan of plans) {
    const { id } = describeFault(plan)
    const decision = decideFault(plan, state.get(id) ?? FAULT_WAITING, nowMs, status?.roles ?? null)
    next.set(id, decision.state)
    if (decision.effects.length > 0) strikes.push({ faultId: id, effects: decision.effects })
  }
  return { state: next, strikes }
}

/** Whether a decision at this time may depend on the platform's processes. */
export function needsStatus(plans: readonly FaultPlan[], nowMs: number, state: StrikesState): boolean {
  return plans.some((plan) => {
    const phase = state.get(describeFault(plan).id)?.phase ?? 'waiting'
    if (phase === 'over' || nowMs < plan.atMs) return false
    if (plan.kind === 'link') return false
    return phase === 'waiting' || plan.kind === 'kill' || plan.kind === 'down'
  })
}

/** As if the fault had ended: nothing more is decided for it. */
export function endStrikes(state: StrikesState, faultId: string): StrikesState {
  const fault = state.get(faultId) ?? FAULT_WAITING
  return new Map(state).set(faultId, { ...fault, phase: 'over' })
}

function decideFault(
  plan: FaultPlan,
  state: FaultState,
  nowMs: number,
  roles: readonly RoleStatus[] | null,
): FaultDecision {
  switch (plan.kind) {
    case 'kill':
      return decideKill(plan, state, nowMs, roles)
    case 'down':
      return decideDown(plan, state, nowMs, roles)
    case 'freeze':
      return decideFreeze(plan, state, nowMs, roles)
    case 'link':
      return decideLink(plan, state, nowMs, roles)
    case 'disk-full':
      return decideDiskFull(plan, state, nowMs, roles)
  }
}
