import { type Canceller, createCanceller } from '../server/cancel.ts'
import type { ExchangeAnswer, ExchangeFailure, OriginRequest } from './exchange.ts'
import { decideFailover, type Failover, type FailoverEffect, type FailoverEvent } from './failover.ts'
import type { OriginAnswer, OriginMember } from './member.ts'

/** Gateway statuses: the origin speaks, but not for what is behind it (RFC 9110, 15.6.3 to 15.6.5). */
const GATEWAY_STATUSES = new Set([502, 503, 504])

type Attempt = { readonly canceller: Canceller; isDropped: boolean; answer: ExchangeAnswer | null }

type RaceOptions = {
  readonly members: readonly OriginMember[]
  readonly order: readonly number[]
  readonly request: OriginRequest
  readonly repeatable: boolean
  readonly failoverMs: number
}

/** One origin has nobody to race with: what it says is the answer. */
export async function askOnly(
  member: OriginMember,
  request: OriginRequest,
  repeatable: boolean,
): Promise<OriginAnswer> {
  member.note({ kind: 'asked' })
  const first = await member.exchange.send(request, { fresh: !repeatable })
  const result = mayRepeat(first) ? await member.exchange.send(request, { fresh: true }) : first
  member.note(toHealthEvent(result))
  if (!result.ok) return { ok: false, code: result.code, why: `${member.url}: ${result.why}` }
  const { ok, status, lines, body } = result
  return { ok, status, lines, body, originUrl: member.url }
}

/** Performs what `decideFailover` decides for one request. */
export function race(options: RaceOptions): Promise<OriginAnswer> {
  const { members, order, request, repeatable, failoverMs } = options
  const patienceMs = failoverMs / Math.max(1, order.length - 1)
  const attempts = new Map<number, Attempt>()
  let state: Failover = { repeatable, left: order, running: [], weak: null }
  let patience: ReturnType<typeof setTimeout> | undefined
  let failure: OriginAnswer = { ok: false, code: 'origin-unreachable', why: 'no origin was asked' }

  return new Promise((resolve) => {
    const ask = (origin: number): void => {
      const member = members[origin]
      if (!member) return
      const canceller = createCanceller()
      const attempt: Attempt = { canceller, isDropped: false, answer: null }
      attempts.set(origin, attempt)
      const { signal } = canceller
      if (request.signal.aborted) canceller.abort()
      else request.signal.addEventListener('abort', canceller.abort)
      member.note({ kind: 'asked' })
      sendPatiently(member, { ...request, signal }, repeatable).then((result) => {
        // Overtaken or abandoned: its story was told when it was dropped.
        if (attempt.isDropped) return result.ok ? result.discard() : undefined
        member.note(toHealthEvent(result))
        if (result.ok) {
          attempt.answer = result
          step({ kind: 'answered', origin, weak: GATEWAY_STATUSES.has(result.status) })
        } else {
          failure = { ok: false, code: result.code, why: `${member.url}: ${result.why}` }
          // Nobody waits any more, so nobody else is asked.
          if (result.code === 'cancelled') state = { ...state, left: [] }
          step({ kind: 'failed', origin, sent: result.sent })
        }
      }, bug)
    }
    const drop = (origin: number, slow: boolean): void => {
      members[origin]?.note(slow ? { kind: 'failed', reachable: true } : { kind: 'cancelled' })
      const attempt = attempts.get(origin)
      if (!attempt) return
      attempt.isDropped = true
      request.signal.removeEventListener('abort', attempt.canceller.abort)
      attempt.answer?.discard()
      attempt.canceller.abort()
    }
    const answer = (origin: number): void => {
      const found = attempts.get(origin)?.answer
      if (!found) return
      const { ok, status, lines, body } = found
      resolve({ ok, status, lines, body, originUrl: members[origin]?.url ?? '' })
    }
    const perform = (effect: FailoverEffect): void => {
      if (effect.kind === 'ask') ask(effect.origin)
      else if (effect.kind === 'drop') drop(effect.origin, effect.slow)
      else if (effect.kind === 'answer') answer(effect.origin)
      else if (effect.kind === 'give-up') resolve(failure)
      else patience = setTimeout(() => step({ kind: 'patience-over' }), patienceMs)
    }
    const step = (event: FailoverEvent): void => {
      const decision = decideFailover(state, event)
      state = decision.state
      const settles = decision.effects.some(({ kind }) => kind !== 'drop')
      if (settles) clearTimeout(patience)
      for (const effect of decision.effects) perform(effect)
    }
    const bug = (error: unknown): void => {
      clearTimeout(patience)
      resolve(Promise.reject(error))
    }
    step({ kind: 'begin' })
  })
}

/**
 * A kept connection may be closed by the origin just as a request is put on it (RFC 9112, 9.3.1 and 9.5): what can be
 * repeated is, once, on a connection of its own; anything else gets one from the start.
 */
async function sendPatiently(
  member: OriginMember,
  request: OriginRequest,
  repeatable: boolean,
): Promise<ExchangeAnswer | ExchangeFailure> {
  const result = await member.exchange.send(request, { fresh: !repeatable })
  return mayRepeat(result) ? await member.exchange.send(request, { fresh: true }) : result
}

function mayRepeat(result: ExchangeAnswer | ExchangeFailure): boolean {
  return !result.ok && result.reused && result.code === 'origin-unreachable'
}

function toHealthEvent(result: ExchangeAnswer | ExchangeFailure): Parameters<OriginMember['note']>[0] {
  if (result.ok) return GATEWAY_STATUSES.has(result.status) ? { kind: 'failed', reachable: true } : { kind: 'answered' }
  if (result.code === 'cancelled' || result.refused) return { kind: 'cancelled' }
  return { kind: 'failed', reachable: result.code !== 'origin-unreachable' }
}
