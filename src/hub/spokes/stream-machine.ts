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
  | { readonly kind: 'settle'; readonly ticket: Ticket; readonly how: 'acknowledged' | 'refused' | 'late' | 'untried' }
  | { readonly kind: 'replace'; readonly reader: number }

export type StreamMachine = {
  step(input: StreamInput): readonly StreamEffect[]
  reader(): number | null
}

type Attempt = { readonly ticket: Ticket; readonly id: string; sent: boolean }

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

  const settle = (attempt: Attempt, how: Extract<StreamEffect, { kind: 'settle' }>['how']): void => {
    attempts.delete(attempt.id)
    if (attempt.sent) sent -= 1
    effects.push({ kind: 'settle', ticket: attempt.ticket, how })
  }
  const settleAll = (): void => {
    for (const attempt of [...attempts.values()]) settle(attempt, 'untried')
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
    const earlier = attempts.get(id)
    if (earlier) settle(earlier, 'untried')
    const attempt = { ticket, id, sent: false }
    if (reader === null) {
      settle(attempt, 'untried')
      return
    }
    attempts.set(id, attempt)
    waiting.push(attempt)
  }
  const connect = (id: number, window: number): void => {
    if (reader) effects.push({ kind: 'replace', reader: reader.id })
    settleAll()
    reader = { id, window }
  }
  const disconnect = (id: number): void => {
    if (reader?.id !== id) return
    reader = null
    settleAll()
  }
  const expire = (ticket: Ticket, id: string): void => {
    const attempt = attempts.get(id)
    if (attempt?.ticket === ticket) settle(attempt, attempt.sent ? 'late' : 'untried')
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
      else settleAll()
      return effects
    },
  }
}
