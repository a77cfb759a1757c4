import type { RoleStatus } from '../../../contracts/index.ts'
import type { LinkConditions } from '../plan.ts'
import type { Victim } from '../roles.ts'

/** Where one fault stands. */
export type FaultState = {
  readonly phase: 'waiting' | 'active' | 'over'
  /** How often it has struck. */
  readonly strikes: number
  /** Processes it has struck; none is struck twice. */
  readonly pids: readonly number[]
  readonly roles: readonly string[]
}

export const FAULT_WAITING: FaultState = { phase: 'waiting', strikes: 0, pids: [], roles: [] }

/** What is to be done, in this order. */
export type FaultEffect =
  | { readonly type: 'kill'; readonly victim: Victim }
  /** It must go on after `forMs` whatever becomes of the storm. */
  | { readonly type: 'freeze'; readonly victim: Victim; readonly forMs: number }
  | { readonly type: 'thaw' }
  | { readonly type: 'impair'; readonly where: string; readonly conditions: LinkConditions }
  | { readonly type: 'mend' }
  | { readonly type: 'fill' }
  | { readonly type: 'free' }
  | {
      readonly type: 'mark'
      readonly phase: 'struck' | 'ended'
      readonly roles: readonly string[]
      /** As of its last strike, not of now. */
      readonly atStrike?: true
    }
  | { readonly type: 'fail'; readonly reason: string }

export type FaultDecision = { readonly state: FaultState; readonly effects: readonly FaultEffect[] }

/** Pure: what follows for one fault from the time and the platform's roles. `roles` is null where nobody asked or nobody answered. */
export type DecideFault<Plan> = (
  plan: Plan,
  state: FaultState,
  nowMs: number,
  roles: readonly RoleStatus[] | null,
) => FaultDecision

export const nothing = (state: FaultState): FaultDecision => ({ state, effects: [] })

/** The state after a strike at these. */
export function struckBy(state: FaultState, victims: readonly Victim[]): FaultState {
  return {
    phase: 'active',
    strikes: state.strikes + 1,
    pids: [...state.pids, ...victims.map(({ pid }) => pid)],
    roles: [...new Set([...state.roles, ...victims.map(({ role }) => role)])],
  }
}

/** It is over; `undo` comes first. */
export const end = (state: FaultState, ...undo: readonly FaultEffect[]): FaultDecision => ({
  state: { ...state, phase: 'over' },
  effects: [...undo, { type: 'mark', phase: 'ended', roles: state.roles }],
})

/** It was over with its last strike, which is known only now: the time since then is the platform's. */
export const endAtStrike = (state: FaultState): FaultDecision => ({
  state: { ...state, phase: 'over' },
  effects: [{ type: 'mark', phase: 'ended', roles: state.roles, atStrike: true }],
})

export const fail = (state: FaultState, reason: string): FaultDecision => ({
  state: { ...state, phase: 'over' },
  effects: [{ type: 'fail', reason }],
})

/** What begins at its time, is undone at its end, and needs no process to be there. */
export function decideSpan(
  plan: { readonly atMs: number; readonly forMs: number },
  state: FaultState,
  nowMs: number,
  span: { readonly begin: FaultEffect; readonly end: FaultEffect; readonly roles: readonly string[] },
): FaultDecision {
  if (state.phase === 'waiting' && nowMs >= plan.atMs) {
    const effects: FaultEffect[] = [span.begin, { type: 'mark', phase: 'struck', roles: span.roles }]
    return { state: { ...state, phase: 'active', strikes: 1, roles: span.roles }, effects }
  }
  if (state.phase === 'active' && nowMs >= plan.atMs + plan.forMs) return end(state, span.end)
  return nothing(state)
}

export const whyNeverStruck = (plan: { readonly role: string; readonly forMs: number }): string =>
  `${plan.role} had no process to strike within ${plan.forMs} ms, or the supervisor did not say; see the platform's log for why`
