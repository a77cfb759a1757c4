import type { FaultPlan, LinkConditions } from './plan.ts'

export type FaultDescription = { readonly id: string; readonly label: string }

/** A fault's name: the id for reports and comparisons, the label for people. */
export function describeFault(plan: FaultPlan): FaultDescription {
  const { what, label } = describeKind(plan)
  return { id: `${what}-at-${plan.atMs}`, label }
}

function describeKind(plan: FaultPlan): { what: string; label: string } {
  switch (plan.kind) {
    case 'kill': {
      const { role, times = 1 } = plan
      return { what: `kill-${role}`, label: `kill -9 ${role}${times === 1 ? '' : `, ${times} times`}` }
    }
    case 'down':
      return { what: `down-${plan.role}`, label: `${plan.role} down for ${toTime(plan.forMs)}` }
    case 'freeze':
      return { what: `freeze-${plan.role}`, label: `${plan.role} frozen for ${toTime(plan.forMs)}` }
    case 'link': {
      const name = plan.where === 'viewers' ? 'link to viewers' : `link to ${plan.where}`
      return {
        what: `link-${plan.where}`,
        label: `${name}: ${describeConditions(plan.conditions)} for ${toTime(plan.forMs)}`,
      }
    }
    case 'disk-full':
      return { what: 'disk-full', label: `disk full for ${toTime(plan.forMs)}` }
  }
}

function describeConditions(conditions: LinkConditions): string {
  const { latencyMs, jitterMs, bytesPerSecond, cut } = conditions
  const parts = [
    ...(cut === undefined ? [] : [cut]),
    ...(latencyMs === undefined ? [] : [`${latencyMs} ms late`]),
    ...(jitterMs === undefined ? [] : [`${jitterMs} ms jitter`]),
    ...(bytesPerSecond === undefined ? [] : [`${toRate(bytesPerSecond)} per connection`]),
  ]
  return parts.length === 0 ? 'nothing wrong' : parts.join(', ')
}

const toTime = (ms: number): string => (ms >= 1_000 ? `${round(ms / 1_000)} s` : `${ms} ms`)
const toRate = (bytesPerSecond: number): string =>
  bytesPerSecond >= 1_000_000 ? `${round(bytesPerSecond / 1e6)} MB/s` : `${round(bytesPerSecond / 1e3)} kB/s`
const round = (value: number): number => Math.round(value * 10) / 10
