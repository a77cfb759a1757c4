import { describeError } from '../../kernel/index.ts'
import type { EndedEarly } from '../report/judge.ts'
import type { StormReport } from '../report/report.ts'
import { durationOf, type Phase } from '../scenario.ts'
import { runClockwork } from './clockwork.ts'
import { createClosing } from './closing.ts'
import { collectReport } from './collect.ts'
import { prepareStorm } from './prepare.ts'
import type { Storm, StormOptions } from './storm.ts'
import { createUsage } from './usage.ts'

/**
 * Blows a storm on a stage and says what came of it. Resolves also when the platform fails altogether: that is what the
 * report is for; and when `interrupt` ends it early, with a report that is invalid. Rejects when it could not begin, with
 * the reason of `interrupt` when that came before the first viewer, or when storm itself is broken. Whatever it struck is
 * undone before it ends, and whatever it started has ended.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { interrupt = new AbortController().signal } = options
  const closing = createClosing()
  try {
    const storm = await prepareStorm({ ...options, interrupt }, closing)
    const endedEarly = await blow(storm)
    return await collectReport(storm, endedEarly)
  } finally {
    await closing.close()
  }
}

/** From the first viewer to the last second. */
async function blow(storm: Storm): Promise<EndedEarly | null> {
  const { scenario, crowd, recorder, operations, faults, probes, health, mark, nowMs, interrupt } = storm
  const phases = [...scenario.phases]
  const usage = createUsage()
  const stopping = new AbortController()
  let nextPhaseMs = 0
  const enter = (phase: Phase): void => {
    mark('phase', phase.name, nextPhaseMs)
    storm.onPhase?.(phase.name)
    if (phase.premiereEnds) crowd.endPremiere(phase.premiereEnds.spreadMs)
    nextPhaseMs += phase.durationMs
  }

  storm.begin()
  faults?.start()
  probes.start()
  await runClockwork({
    durationMs: durationOf(scenario),
    nowMs,
    stop: AbortSignal.any([stopping.signal, interrupt]),
    onTick(now) {
      for (let next = phases[0]; next && nextPhaseMs <= now; next = phases[0]) {
        phases.shift()
        enter(next)
      }
      operations.tick(now)
      crowd.tick()
      if (storm.bound()) stopping.abort()
    },
    onSecond(atMs) {
      const sample = recorder.sample(atMs, { ...usage.take(), rolesDown: health.takeDown() })
      storm.onSample?.(sample, recorder.totals())
    },
  })
  const endedMs = nowMs()
  await crowd.close().catch((error: unknown) => mark('note', `the crowd did not end: ${describeError(error)}`))
  return storm.bound() ?? (interrupt.aborted ? { kind: 'interrupted', atMs: endedMs } : null)
}
