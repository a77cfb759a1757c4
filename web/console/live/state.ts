import type { CloudEvent, PlatformStatus, StaffTitle } from '../../../src/contracts/index.ts'

/** What arrives by the live line, and what becomes of the line itself. */
export type LiveMessage =
  | { readonly type: 'opened' | 'lost' | 'refused' }
  | { readonly type: 'titles'; readonly titles: readonly StaffTitle[] }
  | { readonly type: 'title'; readonly title: StaffTitle }
  | { readonly type: 'status'; readonly status: PlatformStatus | null }
  | { readonly type: 'event'; readonly event: CloudEvent }

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'refused'
export type SeenEvent = { readonly event: CloudEvent; readonly seenAtMs: number }

export type LiveState = {
  readonly connection: Connection
  /** When the line last said anything; what is shown is as old as this while it is lost. */
  readonly heardAtMs: number
  readonly titles: ReadonlyMap<string, StaffTitle> | null
  readonly status: PlatformStatus | null
  /** Newest first, at most `EVENTS_KEPT_MAX`. */
  readonly events: readonly SeenEvent[]
  readonly plays: number
  /** Events seen per second, by the second since 1970; the last minute. */
  readonly perSecond: ReadonlyMap<number, number>
}

export const EVENTS_KEPT_MAX = 500
export const RATE_SECONDS = 60

export const FIRST_LIVE: LiveState = {
  connection: 'connecting',
  heardAtMs: 0,
  titles: null,
  status: null,
  events: [],
  plays: 0,
  perSecond: new Map(),
}

/** The state after a batch of messages, in order. Pure. */
export function decideLive(state: LiveState, batch: readonly LiveMessage[], nowMs: number): LiveState {
  const settled = batch.reduce((before, message) => decideOne(before, message, nowMs), state)
  const seen = new Set(state.events.map(({ event }) => event.id))
  const fresh: SeenEvent[] = []
  for (const message of batch) {
    // After a reconnect the server may tell again what it told before.
    if (message.type !== 'event' || seen.has(message.event.id)) continue
    seen.add(message.event.id)
    fresh.unshift({ event: message.event, seenAtMs: nowMs })
  }
  return fresh.length === 0 ? settled : addEvents(settled, fresh, nowMs)
}

function decideOne(state: LiveState, message: LiveMessage, nowMs: number): LiveState {
  switch (message.type) {
    case 'opened':
      return { ...state, connection: 'live', heardAtMs: nowMs }
    case 'lost':
      return { ...state, connection: state.connection === 'connecting' ? 'connecting' : 'reconnecting' }
    case 'refused':
      return { ...state, connection: 'refused' }
    case 'titles':
      return { ...state, heardAtMs: nowMs, titles: new Map(message.titles.map((title) => [title.id, title])) }
    case 'title':
      return { ...state, heardAtMs: nowMs, titles: new Map(state.titles ?? []).set(message.title.id, message.title) }
    case 'status':
      return { ...state, heardAtMs: nowMs, status: message.status }
    case 'event':
      return { ...state, heardAtMs: nowMs }
  }
}

function addEvents(state: LiveState, fresh: readonly SeenEvent[], nowMs: number): LiveState {
  const second = Math.floor(nowMs / 1000)
  const perSecond = new Map([...state.perSecond].filter(([at]) => at > second - RATE_SECONDS))
  perSecond.set(second, (perSecond.get(second) ?? 0) + fresh.length)
  const plays = fresh.filter(({ event }) => event.type === 'tentpole.playback.started.v1').length
  return {
    ...state,
    events: [...fresh, ...state.events].slice(0, EVENTS_KEPT_MAX),
    plays: state.plays + plays,
    perSecond,
  }
}

/** Events per second over the last ten whole seconds. */
export function eventRate(perSecond: LiveState['perSecond'], nowMs: number): number {
  const second = Math.floor(nowMs / 1000)
  let sum = 0
  for (const [at, count] of perSecond) if (at < second && at >= second - 10) sum += count
  return sum / 10
}

/** One figure per second of the last minute, oldest first. */
export function rateBars(perSecond: LiveState['perSecond'], nowMs: number): number[] {
  const second = Math.floor(nowMs / 1000)
  return Array.from({ length: RATE_SECONDS }, (_, index) => perSecond.get(second - RATE_SECONDS + index) ?? 0)
}

/** Turns one server-sent event into a message; null for what this page does not know or cannot read. */
export function parseLive(name: string, data: string): LiveMessage | null {
  const value = parseJson(data)
  if (value === undefined) return null
  switch (name) {
    case 'titles':
      return Array.isArray(value) ? { type: 'titles', titles: value as StaffTitle[] } : null
    case 'title':
      return hasText(value, 'id') ? { type: 'title', title: value as StaffTitle } : null
    case 'status':
      return value === null || Array.isArray((value as Partial<PlatformStatus>).roles)
        ? { type: 'status', status: value as PlatformStatus | null }
        : null
    case 'message':
      return hasText(value, 'id') && hasText(value, 'type') ? { type: 'event', event: value as CloudEvent } : null
    default:
      return null
  }
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

function hasText(value: unknown, field: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[field] === 'string'
}
