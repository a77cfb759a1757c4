import type { DeadLetter, EventJourney, HubOverview, SubscriptionView } from '../../../src/contracts/index.ts'
import type { Tone } from '../shell/state-mark.tsx'
import type { FlowView, SubscriptionColumn } from './address.ts'

/** The hub in four figures. */
export type FlowSums = {
  readonly publishedPerSecond: number
  readonly deliveredPerSecond: number
  readonly failedPerSecond: number
  readonly lagRecords: number
  readonly parked: number
  readonly deadLetters: number
  readonly unwell: number
}

export function sumFlow({ producers, pipes, subscriptions }: HubOverview): FlowSums {
  const sum = <T>(all: readonly T[], of: (each: T) => number): number =>
    all.reduce((total, each) => total + of(each), 0)
  return {
    publishedPerSecond: sum(producers, (each) => each.eventsPerSecond),
    deliveredPerSecond: sum(subscriptions, (each) => each.deliveredPerSecond),
    failedPerSecond: sum(subscriptions, (each) => each.failedPerSecond),
    lagRecords: sum(subscriptions, (each) => each.lagRecords) + sum(pipes, (each) => each.lagRecords),
    parked: sum(subscriptions, (each) => each.parked),
    deadLetters: sum(subscriptions, (each) => each.deadLetters),
    unwell: subscriptions.filter((each) => toneOf(each) !== 'good').length,
  }
}

/** Amber before red: it waits or fails now and then; it is disabled. */
export function toneOf({ state, parked, failedPerSecond }: SubscriptionView): Tone {
  if (state === 'disabled') return 'bad'
  return state === 'waiting' || parked > 0 || failedPerSecond > 0 ? 'warn' : 'good'
}

export function wordOf(subscription: SubscriptionView): string {
  const { state, parked } = subscription
  if (state !== 'active') return state
  if (parked > 0) return 'parked keys'
  return toneOf(subscription) === 'good' ? 'active' : 'failing'
}

const SEVERITY: Readonly<Record<Tone, number>> = { bad: 3, warn: 2, idle: 1, good: 0 }

const COMPARE: Readonly<Record<SubscriptionColumn, (a: SubscriptionView, b: SubscriptionView) => number>> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  state: (a, b) => SEVERITY[toneOf(a)] - SEVERITY[toneOf(b)] || a.deadLetters - b.deadLetters,
  lag: (a, b) => a.lagRecords - b.lagRecords,
  parked: (a, b) => a.parked - b.parked,
  rate: (a, b) => a.deliveredPerSecond - b.deliveredPerSecond,
  p99: (a, b) => (a.latencyP99Ms ?? -1) - (b.latencyP99Ms ?? -1),
  failed: (a, b) => a.failed - b.failed,
}

export const ROWS_MAX = 100

/** Those that hold every word, in order, equal ones by name; `more` are not among the rows. */
export function selectSubscriptions(
  all: readonly SubscriptionView[],
  { text, sort, descending }: FlowView,
): { readonly rows: readonly SubscriptionView[]; readonly more: number } {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const matching = all.filter(({ name, owner, target, pattern, kind }) => {
    const searched = `${name} ${owner ?? ''} ${kind} ${target} ${JSON.stringify(pattern)}`.toLowerCase()
    return words.every((word) => searched.includes(word))
  })
  const direction = descending ? -1 : 1
  const sorted = matching.sort((a, b) => direction * COMPARE[sort](a, b) || COMPARE.name(a, b))
  return { rows: sorted.slice(0, ROWS_MAX), more: Math.max(0, sorted.length - ROWS_MAX) }
}

/** The partitions of a topic that has several are told apart by a number behind its name. */
export function nameTopics(
  topics: HubOverview['topics'],
): readonly (HubOverview['topics'][number] & { key: string })[] {
  const seen = new Map<string, number>()
  return topics.map((topic) => {
    const before = seen.get(topic.name) ?? 0
    seen.set(topic.name, before + 1)
    return { ...topic, key: before === 0 ? topic.name : `${topic.name} ${before}` }
  })
}

/** `0`, `0.4`, `12`, `60,312`. */
export function formatRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en-US')
}

/** `0.8 ms`, `42 ms`, `3.1 s`. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return '–'
  if (ms >= 999.5) return `${(ms / 1000).toFixed(1)} s`
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

export const LETTER_TONES: Readonly<Record<DeadLetter['state'], Tone>> = {
  open: 'bad',
  redriven: 'good',
  discarded: 'idle',
}

type Stop = EventJourney['stops'][number]

export const STOP_LOOKS: Readonly<Record<Stop['state'], { readonly tone: Tone; readonly word: string }>> = {
  'not-matched': { tone: 'idle', word: 'Not matched' },
  pending: { tone: 'idle', word: 'Pending' },
  delivered: { tone: 'good', word: 'Delivered' },
  parked: { tone: 'warn', word: 'Parked, tried again' },
  waiting: { tone: 'warn', word: 'Waiting behind its key' },
  dead: { tone: 'bad', word: 'Dead letter' },
  redriven: { tone: 'idle', word: 'Redriven' },
  discarded: { tone: 'idle', word: 'Discarded' },
}

/** What JSON says is laid out; anything else stays as it is. */
export function layOut(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g

/** What cannot be seen, or turns the direction of what is behind it, is named: strangers wrote it. */
export function toVisible(text: string): string {
  return text.replace(UNSEEN, (found) => `⟨${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`)
}
