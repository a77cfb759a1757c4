import { describeError, systemClock } from '../../kernel/index.ts'
import { planArrivals } from '../arrivals.ts'
import { createAsk, createCrowd, createRecorder } from '../crowd/index.ts'
import { createFaults } from '../faults/index.ts'
import type { FaultMark } from '../faults/plan.ts'
import { createConnection, createPlaylistMemo } from '../http/index.ts'
import { createJournal, createProbes } from '../probes/index.ts'
import { createRandom, seedOf } from '../random.ts'
import type { EndedEarly } from '../report/judge.ts'
import type { StormReport, TimelineEntry } from '../report/report.ts'
import { durationOf, type Phase } from '../scenario.ts'
import { loopbackTarget } from '../target.ts'
import { runClockwork } from './clockwork.ts'
import { collectReport } from './collect.ts'
import { watchHealth } from './health.ts'
import { createOperations } from './operations.ts'
import { raisePriority } from './priority.ts'
import type { Storm, StormOptions } from './storm.ts'
import { createUsage } from './usage.ts'

/** What belongs to no viewer draws from a stream that none of them has. */
const CROWD_STREAM = -3
const PLAYLISTS_MAX = 4_096

/**
 * Blows a storm on a stage and says what came of it. Resolves also when the platform fails altogether: that is what the
 * report is for. Rejects when it could not begin, or when storm itself is broken. Whatever it struck is undone before it ends.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { scenario, stage } = options
  const clock = createStormClock()
  const timeline: TimelineEntry[] = []
  const marks: FaultMark[] = []
  const mark: Storm['mark'] = (kind, label, atMs = clock.nowMs()) => {
    const entry = { atMs, kind, label }
    timeline.push(entry)
    options.onMark?.(entry)
  }
  const faults = stage.inside
    ? createFaults({
        plans: scenario.faults,
        stage: stage.inside,
        logger: options.logger,
        clock,
        onMark(fault) {
          marks.push(fault)
          mark('fault', `${fault.label}: ${fault.phase}`, fault.atMs)
        },
      })
    : null
  try {
    const proxied = await faults?.prepare()
    const target =
      proxied?.watchUrl === undefined ? options.target : loopbackTarget(Number(new URL(proxied.watchUrl).port))
    const storm = await prepare({ ...options, target }, { clock, faults, mark, marks, timeline })
    const endedEarly = await blow(storm, clock.begin)
    return await collectReport(storm, endedEarly)
  } finally {
    await faults?.stop()
  }
}

async function prepare(
  options: StormOptions,
  own: Pick<Storm, 'faults' | 'mark' | 'marks' | 'timeline'> & { readonly clock: StormClock },
): Promise<Storm & { readonly bound: () => EndedEarly | null }> {
  const { scenario, stage, target, seed } = options
  const { mark, clock } = own
  const { nowMs } = clock
  const probes = createProbes({
    stage,
    clock: systemClock,
    seed,
    scenario,
    onViolation: (violation) => mark('violation', violation.what, violation.atMs),
  })
  await probes.prepare()
  const journal = createJournal()
  if (stage.inside) await journal.begin(stage.inside.log)
  const recorder = createRecorder()
  const playlists = createPlaylistMemo({ entriesMax: PLAYLISTS_MAX })
  const hidden = probes.titles()
  const arrivalsMs = planArrivals(scenario, seed, { even: options.even ?? false })
  let bound: EndedEarly | null = null
  const crowd = createCrowd({
    scenario,
    seed,
    arrivalsMs,
    premiereId: stage.premiereId,
    connect: () =>
      createAsk({
        connection: createConnection({ target }),
        target,
        playlists,
        hidden,
      }),
    recorder,
    onNote: journal.note,
    onBound(name) {
      bound = { kind: 'bound', bound: name, limit: scenario.bounds[name], atMs: nowMs() }
    },
    nowMs,
    random: createRandom(seedOf(seed, CROWD_STREAM)),
  })
  const operations = createOperations({
    operations: scenario.operations,
    operator: stage.operator,
    withdraw: probes.withdraw,
    nowMs,
    onMark: (atMs, label) => mark('operation', label, atMs),
  })
  return {
    ...options,
    ...own,
    probes,
    journal,
    recorder,
    crowd,
    operations,
    nowMs,
    arrivalsPlanned: arrivalsMs.length,
    health: watchHealth(stage.inside, nowMs),
    priorityRaised: raisePriority(),
    startedAt: new Date(),
    bound: () => bound,
  }
}

/** From the first viewer to the last second. */
async function blow(
  storm: Storm & { readonly bound: () => EndedEarly | null },
  begin: () => void,
): Promise<EndedEarly | null> {
  const { scenario, crowd, recorder, operations, faults, probes, health, mark, nowMs } = storm
  const phases = [...scenario.phases]
  const usage = createUsage()
  const stopping = new AbortController()
  const stop = AbortSignal.any([stopping.signal, ...(storm.interrupt ? [storm.interrupt] : [])])
  let nextPhaseMs = 0
  const enter = (phase: Phase): void => {
    mark('phase', phase.name, nextPhaseMs)
    storm.onPhase?.(phase.name)
    if (phase.premiereEnds) crowd.endPremiere(phase.premiereEnds.spreadMs)
    nextPhaseMs += phase.durationMs
  }

  begin()
  faults?.start()
  probes.start()
  await runClockwork({
    durationMs: durationOf(scenario),
    nowMs,
    stop,
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
      const sample = recorder.sample(atMs, { ...usage.take(), rolesDown: health.down() })
      storm.onSample?.(sample, recorder.totals())
    },
  })
  const endedMs = nowMs()
  await crowd.close().catch((error: unknown) => mark('note', `the crowd did not end: ${describeError(error)}`))
  return storm.bound() ?? (storm.interrupt?.aborted ? { kind: 'interrupted', atMs: endedMs } : null)
}

type StormClock = { nowMs(): number; begin(): void }

/** Storm time: 0 until it begins. */
function createStormClock(): StormClock {
  let beganMs: number | null = null
  return {
    nowMs: () => (beganMs === null ? 0 : performance.now() - beganMs),
    begin() {
      beganMs = performance.now()
    },
  }
}
