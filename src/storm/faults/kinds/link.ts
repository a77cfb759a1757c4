import type { FaultPlan } from '../plan.ts'
import { type DecideFault, decideSpan } from './kind.ts'

export type LinkPlan = Extract<FaultPlan, { kind: 'link' }>

/** The conditions of a link, from its time to its end. */
export const decideLink: DecideFault<LinkPlan> = (plan, state, nowMs) =>
  decideSpan(plan, state, nowMs, {
    begin: { type: 'impair', where: plan.where, conditions: plan.conditions },
    end: { type: 'mend' },
    roles: [plan.where === 'viewers' ? 'edge' : plan.where],
  })
