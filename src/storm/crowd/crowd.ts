import type { Bounds, Population, Scenario } from '../scenario.ts'
import {
  createViewer,
  decideViewer,
  type Failure,
  type ListedTitle,
  populationOf,
  type ViewerEffect,
  type ViewerEvent,
  type ViewerMode,
  type ViewerNote,
  type ViewerRequest,
  type ViewerState,
} from '../viewer/index.ts'
import { createAlarms } from './alarms.ts'
import type { Ask, Reply } from './ask.ts'
import type { Outcome, Recorder } from './recorder.ts'

export type Crowd = {
  /** Lets happen what is due; called every millisecond or so. Records how late it was. */
  tick(): void
  /** The premiere is over: whoever watches it learns so at a moment of their own within `spreadMs`. */
  endPremiere(spreadMs: number): void
  present(): number
  /** Who has come so far. */
  arrived(): number
  /** Nobody comes or asks any more; answers that are under way are waited for, those that do not come are counted. */
  close(): Promise<void>
}

type Member = {
  state: ViewerState
  mode: ViewerMode
  cell: string | null
  readonly population: Population
  /** Alarms of any other time are outdated. */
  wakeAtMs: number
  /** A viewer's time never runs backwards, however late an alarm is heard. */
  toldMs: number
  ask: Ask | null
  request: ViewerRequest | null
}
type Alarm = { readonly member: Member; readonly kind: 'wake' | 'premiere-ended' } | null

/** How often what is overdue is looked for. */
const SWEEP_EVERY_MS = 100
/** How long the answers under way are waited for in the end. */
const LAST_ANSWERS_MS = 3_000

/**
 * The shell around the viewers: lets them arrive by the scenario's clock whatever the server does, sends what they ask
 * for, tells them what came back. `connect` gives each viewer a line of their own. `onBound` is called once, when a bound
 * is reached; nobody arrives after that.
 */
export function createCrowd(options: {
  readonly scenario: Pick<Scenario, 'populations' | 'titles' | 'habits'> & { readonly bounds: Bounds }
  readonly seed: number
  /** Rising, ms. */
  readonly arrivalsMs: Float64Array
  readonly premiereId: string | null
  /** What viewers choose from, in place of what home shows. */
  readonly choices?: readonly ListedTitle[] | undefined
  readonly connect: () => Ask
  readonly recorder: Recorder
  readonly onNote: (note: ViewerNote) => void
  readonly onBound: (bound: Exclude<keyof Bounds, 'durationMsMax'>) => void
  readonly nowMs: () => number
  /** From 0 to 1, for what belongs to no viewer. */
  readonly random: () => number
}): Crowd {
  const { scenario, seed, arrivalsMs, recorder, nowMs } = options
  const { habits, bounds } = scenario
  const members = new Set<Member>()
  const alarms = createAlarms<Alarm>()
  /** Where viewers of a population were last told they live: for those whose sign-in fails, and who are told nothing. */
  const cellOf = new Map<Population, string>()
  let arrived = 0
  let requests = 0
  let inFlight = 0
  let isClosed = false
  let isBounded = false
  let sweptMs = 0
  const emptied = Promise.withResolvers<void>()
  let closing: Promise<void> | null = null

  const reach = (bound: Exclude<keyof Bounds, 'durationMsMax'>): void => {
    if (isBounded) return
    isBounded = true
    options.onBound(bound)
  }

  const arrive = (): void => {
    if (members.size >= bounds.viewersMax) {
      reach('viewersMax')
      return
    }
    const index = arrived++
    const population = populationOf(scenario.populations, seed, index)
    const state = createViewer(
      { index, seed, population, premiereId: options.premiereId, titles: scenario.titles, choices: options.choices },
      habits,
    )
    const member: Member = {
      state,
      mode: 'browsing',
      cell: null,
      population,
      wakeAtMs: -1,
      toldMs: 0,
      ask: null,
      request: null,
    }
    members.add(member)
    recorder.arrived()
    recorder.moved(null, 'browsing')
    tell(member, { type: 'arrive' }, arrivalsMs[index] ?? nowMs())
  }

  /** `asOfMs`: what is decided at an alarm was due when the alarm was, not when the generator got round to it. */
  const tell = (member: Member, event: ViewerEvent, asOfMs: number): void => {
    member.toldMs = Math.max(member.toldMs, asOfMs)
    const { state, effects } = decideViewer(member.state, event, member.toldMs, habits)
    member.state = state
    for (const effect of effects) perform(member, effect)
  }

  const perform = (member: Member, effect: ViewerEffect): void => {
    if (effect.type === 'request') send(member, effect.request)
    else if (effect.type === 'note') hear(member, effect.note)
    else if (effect.type === 'leave') leave(member)
    else {
      member.wakeAtMs = effect.atMs
      alarms.set(effect.atMs, { member, kind: 'wake' })
    }
  }

  const hear = (member: Member, note: ViewerNote): void => {
    if (note.type === 'cell') {
      member.cell = note.cell
      cellOf.set(member.population, note.cell)
    }
    if (note.type === 'mode') {
      if (note.mode === member.mode) return
      recorder.moved(member.mode, note.mode)
      member.mode = note.mode
    }
    recorder.note(note)
    options.onNote(note)
  }

  const leave = (member: Member): void => {
    if (!members.delete(member)) return
    if (member.mode !== 'gone') recorder.moved(member.mode, 'gone')
    member.mode = 'gone'
    member.wakeAtMs = -1
    // A request that is still under way is let go with its line. They waited this long for it at least.
    if (member.request) record(member, member.request, { error: null, bytes: 0, abandoned: true, cacheStatus: null })
    if (member.request) settle(member)
    member.ask?.close()
    member.ask = null
  }

  const record = (
    member: Member,
    { kind, dueMs }: ViewerRequest,
    ended: Pick<Outcome, 'error' | 'bytes' | 'abandoned' | 'cacheStatus'>,
  ): void => {
    const cell = member.cell ?? cellOf.get(member.population) ?? null
    recorder.done({ kind, cell, dueMs, latencyMs: nowMs() - dueMs, ...ended })
  }

  const settle = (member: Member): void => {
    member.request = null
    inFlight -= 1
    if (isClosed && inFlight === 0) emptied.resolve()
  }

  const send = (member: Member, request: ViewerRequest): void => {
    if (isClosed) return
    if (++requests > bounds.requestsMax) {
      reach('requestsMax')
      return
    }
    member.ask ??= options.connect()
    member.request = request
    inFlight += 1
    member.ask.send(request, (reply) => answered(member, request, reply))
  }

  const answered = (member: Member, request: ViewerRequest, reply: Reply): void => {
    // It has left meanwhile: what comes now is nobody's.
    if (member.request !== request) return
    settle(member)
    record(member, request, {
      error: reply.ok ? null : toReason(reply.failure),
      bytes: reply.bytes,
      abandoned: false,
      cacheStatus: reply.ok ? reply.cacheStatus : null,
    })
    if (isClosed) return
    const event: ViewerEvent = reply.ok
      ? { type: 'answer', status: reply.status, content: reply.content, bytes: reply.bytes, tookMs: reply.tookMs }
      : { type: 'failed', failure: reply.failure }
    tell(member, event, nowMs())
  }

  const close = async (): Promise<void> => {
    isClosed = true
    const endedMs = nowMs()
    if (inFlight > 0) await Promise.race([emptied.promise, Bun.sleep(LAST_ANSWERS_MS)])
    for (const member of [...members]) {
      const { request } = member
      if (request) {
        record(member, request, { error: 'unanswered', bytes: 0, abandoned: false, cacheStatus: null })
        settle(member)
      }
      // As it stood when the storm ended: what came of the wait for last answers is nobody's watching.
      tell(member, { type: 'storm-ended' }, endedMs)
      leave(member)
    }
  }

  return {
    tick() {
      const now = nowMs()
      if (now - sweptMs >= SWEEP_EVERY_MS) {
        sweptMs = now
        for (const member of members) member.ask?.sweep()
      }
      for (let due = arrivalsMs[arrived]; due !== undefined && due <= now && !isClosed && !isBounded; ) {
        recorder.lag(now - due)
        arrive()
        due = arrivalsMs[arrived]
      }
      alarms.runDue(now, (alarm, dueMs) => {
        if (alarm === null || isClosed || !members.has(alarm.member)) return
        const { member, kind } = alarm
        if (kind === 'wake' && member.wakeAtMs !== dueMs) return
        recorder.lag(now - dueMs)
        if (kind === 'wake') member.wakeAtMs = -1
        tell(member, kind === 'wake' ? { type: 'wake' } : { type: 'premiere-ended', atMs: dueMs }, dueMs)
      })
    },
    endPremiere(spreadMs) {
      const now = nowMs()
      for (const member of members) alarms.set(now + options.random() * spreadMs, { member, kind: 'premiere-ended' })
    },
    present: () => members.size,
    arrived: () => arrived,
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** What the report counts a failure under. */
export function toReason(failure: Failure): string {
  return failure.kind === 'status' ? String(failure.status) : failure.kind
}
