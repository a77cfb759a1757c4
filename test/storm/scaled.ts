import { SCENARIOS } from '../../src/storm/index.ts'
import type { Scenario } from '../../src/storm/scenario.ts'

/** A scenario that is built in, in a fraction of its time: what strikes, and in which order, stays as it is. */
export function scaledScenario(name: string, factor: number): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (!found) throw new Error(`no scenario is called ${name}`)
  const scale = (ms: number): number => Math.round(ms * factor)
  return {
    ...found,
    phases: found.phases.map((phase) => ({ ...phase, durationMs: scale(phase.durationMs) })),
    faults: found.faults.map((fault) => ({
      ...fault,
      atMs: scale(fault.atMs),
      ...('forMs' in fault ? { forMs: scale(fault.forMs) } : {}),
      ...('everyMs' in fault && fault.everyMs !== undefined ? { everyMs: scale(fault.everyMs) } : {}),
    })),
    operations: found.operations.map((operation) => ({ ...operation, atMs: scale(operation.atMs) })),
  }
}
