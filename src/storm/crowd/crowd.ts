import type { Bounds, Scenario } from '../scenario.ts'
import {
  createViewer,
  decideViewer,
  type Failure,
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
import type { Recorder } from './recorder.ts'

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
  readonly connect: () => Ask
  readonly recorder: Recorder
  readonly onNote: (note: ViewerNote) => void
  readonly onBound: (bound: keyof Bounds) => void
  readonly nowMs: () => number
  /** From 0 to 1, for what belongs to no viewer. */
  readonly random: () => number
}): Crowd {
  const { scenario, seed, arrivalsMs, recorder, nowMs } = options
  const { habits, bounds } = scenario
  const members = new Set<Member>()
  const alarms = createAlarms<Alarm>()
  let arrived = 0
  let requests = 0
  let inFlight = 0
  let isClosed = false
  let isBounded = false
  let sweptMs = 0
  const emptied = Promise.withResolvers<void>()

  const reach = (bound: keyof Bounds): void => {
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
      { index, seed, population, premiereId: options.premiereId, titles: scenario.titles },
      habits,
    )
    const member: Member = { state, mode: 'browsing', cell: null, wakeAtMs: -1, toldMs: 0, ask: null, request: null }
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
    if (note.type === 'cell') member.cell = note.cell
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
    // A request that is still under way is let go with its line: nobody waits for it.
    if (member.request) settle(member)
    member.ask?.close()
    member.ask = null
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
    const now = nowMs()
    recorder.done({
      kind: request.kind,
      cell: member.cell,
      latencyMs: now - request.dueMs,
      error: reply.ok ? null : toReason(reply.failure),
      bytes: reply.bytes,
      cacheStatus: reply.ok ? reply.cacheStatus : null,
    })
    if (isClosed) return
    const event: ViewerEvent = reply.ok
      ? { type: 'answer', status: reply.status, content: reply.content, bytes: reply.bytes, tookMs: reply.tookMs }
      : { type: 'failed', failure: reply.failure }
    tell(member, event, now)
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
    async close() {
      isClosed = true
      if (inFlight > 0) await Promise.race([emptied.promise, Bun.sleep(LAST_ANSWERS_MS)])
      for (const member of [...members]) {
        if (member.request) {
          const { kind, dueMs } = member.request
          const latencyMs = nowMs() - dueMs
          recorder.done({ kind, cell: member.cell, latencyMs, error: 'unanswered', bytes: 0, cacheStatus: null })
        }
        leave(member)
      }
    },
  }
}

/** What the report counts a failure under. */
export function toReason(failure: Failure): string {
  return failure.kind === 'status' ? String(failure.status) : failure.kind
}
