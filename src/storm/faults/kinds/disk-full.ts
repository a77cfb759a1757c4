import type { FaultPlan } from '../plan.ts'
import { type DecideFault, decideSpan } from './kind.ts'

export type DiskFullPlan = Extract<FaultPlan, { kind: 'disk-full' }>

/** A full disk from its time to its end: aimed at every role, since all live on it. */
export const decideDiskFull: DecideFault<DiskFullPlan> = (plan, state, nowMs, roles) =>
  decideSpan(plan, state, nowMs, {
    begin: { type: 'fill' },
    end: { type: 'free' },
    roles: (roles ?? []).map(({ name }) => name),
  })
