import { createQueue } from '../../kernel/index.ts'

/** One attempt at a delivery, as the machine knows it. Two attempts of one delivery have one id and two tickets. */
export type Ticket = number

export type StreamInput =
  | { readonly kind: 'connect'; readonly reader: number; readonly window: number }
  | { readonly kind: 'disconnect'; readonly reader: number }
  | { readonly kind: 'deliver'; readonly ticket: Ticket; readonly id: string }
  | { readonly kind: 'acknowledge'; readonly id: string }
  | { readonly kind: 'refuse'; readonly id: string }
  /** The attempt's time is over. */
  | { readonly kind: 'expire'; readonly ticket: Ticket; readonly id: string }
  /** The reader's connection has room for one more. */
  | { readonly kind: 'room' }
  /** The subscription ends here. */
  | { readonly kind: 'abandon' }

export type StreamEffect =
  | { readonly kind: 'send'; readonly reader: number; readonly ticket: Ticket }
  | {
      readonly kind: 'settle'
      readonly ticket: Ticket
      readonly how: 'acknowledged' | 'refused' | 'late' | 'untried' | 'lost'
    }
  | { readonly kind: 'replace'; readonly reader: number }

export type StreamMachine = {
  step(input: StreamInput): readonly StreamEffect[]
  reader(): number | null
}

type Attempt = {
  readonly ticket: Ticket
  readonly id: string
  sent: boolean
  /** The next of the same id, from another place on the log: acknowledgements name ids, so one is sent at a time. */
  behind: Attempt | null
}

/** An event with which its reader went away so often has failed: it may be what ends its readers. */
const LOSSES_MAX = 3
/** Ids whose losses are remembered; the oldest is forgotten. More than the widest window. */
const LOST_IDS_MAX = 1_024

/**
 * Decides what one subscription's stream does: to whom a delivery is sent, how many are under way, how each ends. Nothing is
 * sent but at `room`, one at a time. No time, no sockets. It keeps its state to itself instead of returning a copy with each step, as a window of hundreds would be copied
 * for every event; the same inputs always give the same effects.
 */
export function createStreamMachine(): StreamMachine {
  let reader: { readonly id: number; readonly window: number } | null = null
  let sent = 0
  const attempts = new Map<string, Attempt>()
  let waiting = createQueue<Attempt>()
  let effects: StreamEffect[] = []
  /** How often a reader went away with it. */
  const losses = new Map<string, number>()

  const settle = (attempt: Attempt, how: Extract<StreamEffect, { kind: 'settle' }>['how']): void => {
    const { id, ticket, behind } = attempt
    if (behind) {
      attempts.set(id, behind)
      waiting.push(behind)
    } else attempts.delete(id)
    if (attempt.sent) sent -= 1
    if (how !== 'untried') losses.delete(id)
    effects.push({ kind: 'settle', ticket, how })
  }
  /** Whether it is one too many. */
  const countLoss = (id: string): boolean => {
    const count = (losses.get(id) ?? 0) + 1
    losses.delete(id)
    losses.set(id, count)
    const [oldest] = losses.keys()
    if (losses.size > LOST_IDS_MAX && oldest !== undefined) losses.delete(oldest)
    return count >= LOSSES_MAX
  }
  const settleAll = (isLoss: boolean): void => {
    const heads = [...attempts.values()]
    for (const head of heads)
      for (let attempt: Attempt | null = head; attempt; attempt = attempt.behind)
        settle(attempt, isLoss && attempt.sent && countLoss(attempt.id) ? 'lost' : 'untried')
    waiting = createQueue()
  }
  const sendOne = (): void => {
    if (reader === null || sent >= reader.window) return
    let attempt = waiting.shift()
    // One that ended while it waited is still in the queue.
    while (attempt && attempts.get(attempt.id) !== attempt) attempt = waiting.shift()
    if (!attempt) return
    attempt.sent = true
    sent += 1
    effects.push({ kind: 'send', reader: reader.id, ticket: attempt.ticket })
  }
  const end = (id: string, how: 'acknowledged' | 'refused'): void => {
    const attempt = attempts.get(id)
    if (attempt?.sent) settle(attempt, how)
  }
  const deliver = (ticket: Ticket, id: string): void => {
    const attempt: Attempt = { ticket, id, sent: false, behind: null }
    if (reader === null) {
      effects.push({ kind: 'settle', ticket, how: 'untried' })
      return
    }
    let last = attempts.get(id)
    if (last === undefined) {
      attempts.set(id, attempt)
      waiting.push(attempt)
      return
    }
    while (last.behind) last = last.behind
    last.behind = attempt
  }
  const connect = (id: number, window: number): void => {
    if (reader) effects.push({ kind: 'replace', reader: reader.id })
    settleAll(true)
    reader = { id, window }
  }
  const disconnect = (id: number): void => {
    if (reader?.id !== id) return
    reader = null
    settleAll(true)
  }
  const expire = (ticket: Ticket, id: string): void => {
    let before: Attempt | null = null
    for (let attempt = attempts.get(id) ?? null; attempt; before = attempt, attempt = attempt.behind) {
      if (attempt.ticket !== ticket) continue
      if (before === null) settle(attempt, attempt.sent ? 'late' : 'untried')
      else {
        before.behind = attempt.behind
        effects.push({ kind: 'settle', ticket, how: 'untried' })
      }
      return
    }
  }

  return {
    reader: () => reader?.id ?? null,
    step(input) {
      effects = []
      if (input.kind === 'connect') connect(input.reader, input.window)
      else if (input.kind === 'disconnect') disconnect(input.reader)
      else if (input.kind === 'deliver') deliver(input.ticket, input.id)
      else if (input.kind === 'acknowledge') end(input.id, 'acknowledged')
      else if (input.kind === 'refuse') end(input.id, 'refused')
      else if (input.kind === 'expire') expire(input.ticket, input.id)
      else if (input.kind === 'room') sendOne()
      else settleAll(false)
      return effects
    },
  }
}
