import { systemClock } from '../../kernel/index.ts'
import { planArrivals } from '../arrivals.ts'
import { type Ask, createAsk, createCrowd, createRecorder } from '../crowd/index.ts'
import { createFaults, type Faults } from '../faults/index.ts'
import type { FaultMark } from '../faults/plan.ts'
import { createConnection, createPlaylistMemo } from '../http/index.ts'
import { createJournal, createProbes } from '../probes/index.ts'
import { createRandom, seedOf } from '../random.ts'
import type { EndedEarly } from '../report/judge.ts'
import type { TimelineEntry } from '../report/report.ts'
import { untilAborted } from '../until-aborted.ts'
import type { Closing } from './closing.ts'
import { watchHealth } from './health.ts'
import { createOperations } from './operations.ts'
import { raisePriority } from './priority.ts'
import type { Storm, StormOptions } from './storm.ts'

/** What belongs to no viewer draws from a stream that none of them has. */
const CROWD_STREAM = -3
/** A fault's proxy listens on this machine. */
const PROXY_ADDRESS = '127.0.0.1'
const PLAYLISTS_MAX = 4_096

/** What a storm is to be told of as it goes, and the time it goes by. */
type Course = Pick<Storm, 'timeline' | 'marks' | 'mark' | 'nowMs' | 'begin'>

/**
 * Puts everything in place for the first viewer; whatever must end with the storm is told to `closing` as soon as it is there.
 * Rejects with the reason of `interrupt` once that is aborted: nothing has been measured by then that a report could tell.
 */
export async function prepareStorm(
  options: StormOptions & { readonly interrupt: AbortSignal },
  closing: Closing,
): Promise<Storm> {
  const { scenario, stage, seed, interrupt } = options
  interrupt.throwIfAborted()
  const course = createCourse(options)
  const { mark, nowMs } = course
  const faults = createStormFaults(options, course)
  if (faults) closing.add(faults.stop)
  const proxied = await faults?.prepare(interrupt)
  // Viewers call the platform by its own name, whatever stands in front of it.
  const target =
    proxied?.watchUrl === undefined
      ? options.target
      : { ...options.target, address: PROXY_ADDRESS, port: Number(new URL(proxied.watchUrl).port) }

  const probes = createProbes({
    stage,
    target: options.target,
    clock: systemClock,
    seed,
    scenario,
    onViolation: (violation) => mark('violation', violation.what, violation.atMs),
  })
  closing.add(probes.stop)
  await probes.prepare(interrupt)
  const journal = createJournal()
  if (stage.inside) await untilAborted(journal.begin(stage.inside.log), interrupt)
  interrupt.throwIfAborted()

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
    choices: options.choices,
    connect: () => heard(createAsk({ connection: createConnection({ target }), target, playlists, hidden }), options),
    recorder,
    onNote: journal.note,
    onBound(name) {
      bound = { kind: 'bound', bound: name, limit: scenario.bounds[name], atMs: nowMs() }
    },
    nowMs,
    random: createRandom(seedOf(seed, CROWD_STREAM)),
  })
  // That it did not end is told where the storm ends.
  closing.add(() => crowd.close().catch(() => {}))
  const operations = createOperations({
    operations: scenario.operations,
    operator: stage.operator,
    withdraw: probes.withdraw,
    nowMs,
    onMark: (atMs, label) => mark('operation', label, atMs),
  })
  closing.add(() => operations.finish(0, interrupt))
  const health = watchHealth(stage.inside, nowMs)
  closing.add(health.close)
  const priority = raisePriority()
  closing.add(priority.restore)
  return {
    ...options,
    ...course,
    faults,
    probes,
    journal,
    recorder,
    crowd,
    operations,
    arrivalsPlanned: arrivalsMs.length,
    health,
    priorityRaised: priority.raised,
    startedAt: new Date(),
    bound: () => bound,
  }
}

/** A line whose answers whoever blows the storm hears, too. */
function heard(ask: Ask, { onAnswer }: Pick<StormOptions, 'onAnswer'>): Ask {
  if (!onAnswer) return ask
  return {
    ...ask,
    send: (request, onReply) =>
      ask.send(request, (reply) => {
        onAnswer(request, reply)
        onReply(reply)
      }),
  }
}

/** Its time is 0 until it begins. */
function createCourse({ onMark }: Pick<StormOptions, 'onMark'>): Course {
  const timeline: TimelineEntry[] = []
  const marks: FaultMark[] = []
  let beganMs: number | null = null
  const nowMs = (): number => (beganMs === null ? 0 : performance.now() - beganMs)
  return {
    timeline,
    marks,
    nowMs,
    begin() {
      beganMs = performance.now()
    },
    mark(kind, label, atMs = nowMs()) {
      const entry = { atMs, kind, label }
      timeline.push(entry)
      onMark?.(entry)
    },
  }
}

function createStormFaults({ scenario, stage, logger }: StormOptions, { nowMs, marks, mark }: Course): Faults | null {
  if (!stage.inside) return null
  return createFaults({
    plans: scenario.faults,
    stage: stage.inside,
    logger,
    clock: { nowMs },
    onMark(fault) {
      marks.push(fault)
      mark('fault', `${fault.label}: ${fault.phase}`, fault.atMs)
    },
  })
}
