import { DEFAULT_HABITS, type ViewerHabits } from '../habits.ts'
import { decideViewer } from '../machine.ts'
import { playableUntilMs } from '../player.ts'
import type { ViewerEffect, ViewerEvent, ViewerNote, ViewerOrigin, ViewerRequest } from '../protocol.ts'
import { createViewer, type ViewerState } from '../state.ts'
import { createSoundServer, PREMIERE_ID } from './film.ts'
import type { Server } from './server.ts'

export type EveningOptions = {
  readonly origin?: Partial<ViewerOrigin>
  readonly habits?: Partial<Omit<ViewerHabits, 'player'>> & { readonly player?: Partial<ViewerHabits['player']> }
  readonly server?: Server
  /** How late each alarm rings. */
  readonly wakeLagMs?: () => number
  readonly premiereEnded?: { readonly toldMs: number; readonly atMs: number }
  readonly untilMs?: number
}

export type Evening = {
  /** Everything decided, with when it was. */
  readonly log: readonly { readonly nowMs: number; readonly effect: ViewerEffect }[]
  readonly requests: readonly ViewerRequest[]
  readonly notes: readonly (ViewerNote & { readonly nowMs: number })[]
  readonly state: ViewerState
  /** Null when the viewer was still there at the end. */
  readonly leftMs: number | null
  /** What the machine must never do, and did. */
  readonly violations: readonly string[]
  readonly decisions: number
}

export const ORIGIN: ViewerOrigin = {
  index: 0,
  seed: 1,
  population: { weight: 1, country: 'DE', tier: 'standard', platform: 'web', lineBps: 20_000_000 },
  titles: { premiereShare: 1, zipfExponent: 1 },
  premiereId: PREMIERE_ID,
}

/** Nobody leaves, seeks or loses patience unless a test says so. */
const CALM: ViewerHabits = {
  ...DEFAULT_HABITS,
  browseOnlyShare: 0,
  watchToEndShare: 1,
  seeksPerMinute: 0,
  patience: [
    [0, 0],
    [60_000, 0],
    [60_001, 1],
  ],
  returnHomeShare: 0,
}

/** One viewer's evening with a clock that jumps from event to event. */
export function liveThrough(options: EveningOptions = {}): Evening {
  const { server = createSoundServer(), wakeLagMs = () => 0, untilMs = 3_600_000 } = options
  const habits = { ...CALM, ...options.habits, player: { ...CALM.player, ...options.habits?.player } }
  const log: { nowMs: number; effect: ViewerEffect }[] = []
  const violations: string[] = []
  let state = createViewer({ ...ORIGIN, ...options.origin }, habits)
  let answer: { atMs: number; event: ViewerEvent } | null = null
  let alarmMs = Number.POSITIVE_INFINITY
  let ringsMs = Number.POSITIVE_INFINITY
  let premiere = options.premiereEnded ?? null
  let causeMs = 0
  let leftMs: number | null = null
  let decisions = 0

  function deliver(event: ViewerEvent, nowMs: number): void {
    const decided = decideViewer(state, event, nowMs, habits)
    state = decided.state
    decisions += 1
    for (const effect of decided.effects) perform(effect, nowMs)
    checkPlayhead(nowMs)
  }

  function perform(effect: ViewerEffect, nowMs: number): void {
    log.push({ nowMs, effect })
    if (leftMs !== null) violations.push(`${effect.type} after leave at ${nowMs}`)
    if (effect.type === 'wake') {
      if (effect.atMs <= nowMs) violations.push(`an alarm at ${nowMs} for ${effect.atMs}, which is over`)
      alarmMs = effect.atMs
      ringsMs = effect.atMs + wakeLagMs()
    } else if (effect.type === 'leave') {
      leftMs = nowMs
    } else if (effect.type === 'request') {
      send(effect.request, nowMs)
    }
  }

  function send(request: ViewerRequest, nowMs: number): void {
    const { dueMs, kind } = request
    if (answer !== null) violations.push(`${kind} at ${nowMs} while another request was under way`)
    if (dueMs > nowMs) violations.push(`${kind} at ${nowMs} before it was due at ${dueMs}`)
    if (dueMs < causeMs) violations.push(`${kind} due at ${dueMs}, before its cause at ${causeMs}`)
    const reply = server(request, nowMs)
    const tookMs = reply.afterMs
    const event: ViewerEvent = reply.ok
      ? { type: 'answer', status: 200, content: reply.content, bytes: reply.bytes, tookMs }
      : { type: 'failed', failure: reply.failure }
    answer = { atMs: nowMs + tookMs, event }
  }

  function checkPlayhead(nowMs: number): void {
    const { player, mode } = state
    if (player === null) return
    const positionMs = player.positionMs + (mode === 'playing' ? nowMs - player.sinceMs : 0)
    if (positionMs > playableUntilMs(player) + 0.001) violations.push(`the playhead passed the buffer at ${nowMs}`)
  }

  deliver({ type: 'arrive' }, 0)
  while (leftMs === null) {
    const answerMs: number = (answer as { atMs: number } | null)?.atMs ?? Number.POSITIVE_INFINITY
    const premiereMs: number = premiere?.toldMs ?? Number.POSITIVE_INFINITY
    const nowMs = Math.min(answerMs, ringsMs, premiereMs)
    if (nowMs > untilMs) break
    if (nowMs === premiereMs && premiere !== null) {
      const { atMs } = premiere
      premiere = null
      deliver({ type: 'premiere-ended', atMs }, nowMs)
    } else if (nowMs === answerMs && answer !== null) {
      const { event } = answer as { event: ViewerEvent }
      answer = null
      causeMs = nowMs
      deliver(event, nowMs)
    } else {
      causeMs = Math.max(causeMs, alarmMs)
      alarmMs = Number.POSITIVE_INFINITY
      ringsMs = Number.POSITIVE_INFINITY
      deliver({ type: 'wake' }, nowMs)
    }
  }
  const requests = log.flatMap(({ effect }) => (effect.type === 'request' ? [effect.request] : []))
  const notes = log.flatMap(({ nowMs, effect }) => (effect.type === 'note' ? [{ ...effect.note, nowMs }] : []))
  return { log, requests, notes, state, leftMs, violations, decisions }
}
