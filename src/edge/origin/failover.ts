/**
 * One request and the origins it may go to, as a pure machine. An origin that fails is left at once; one that says
 * nothing is joined by the next after a share of the failover time, and whoever answers first wins, so a slow but
 * honest origin is never cut off and a frozen one never costs more than that share.
 *
 * Only what is safe and has no body is sent twice (RFC 9110, 9.2.1 and 9.2.2); anything else goes to another origin
 * only if no byte of it was sent.
 */
export type Failover = {
  readonly repeatable: boolean
  /** Origins not asked yet, best first. */
  readonly left: readonly number[]
  readonly running: readonly number[]
  /** A gateway status (502, 503, 504), kept as the answer in case nobody has a better one. */
  readonly weak: number | null
}

export type FailoverEvent =
  | { readonly kind: 'begin' }
  /** `sent`: bytes of the request may have reached the origin. */
  | { readonly kind: 'failed'; readonly origin: number; readonly sent: boolean }
  | { readonly kind: 'answered'; readonly origin: number; readonly weak: boolean }
  | { readonly kind: 'patience-over' }

export type FailoverEffect =
  | { readonly kind: 'ask'; readonly origin: number }
  /** Announce `patience-over` after a share of the failover time; replaces an earlier one. */
  | { readonly kind: 'wait' }
  /** Abandon this attempt; `slow` when another overtook it. */
  | { readonly kind: 'drop'; readonly origin: number; readonly slow: boolean }
  | { readonly kind: 'answer'; readonly origin: number }
  | { readonly kind: 'give-up' }

export type FailoverDecision = { readonly state: Failover; readonly effects: readonly FailoverEffect[] }

export function decideFailover(state: Failover, event: FailoverEvent): FailoverDecision {
  switch (event.kind) {
    case 'begin':
      return askNext(state)
    case 'patience-over':
      return state.repeatable && state.running.length > 0 ? askNext(state) : { state, effects: [] }
    case 'failed':
      return decideFailed({ ...state, running: without(state.running, event.origin) }, event.sent)
    case 'answered':
      return event.weak
        ? decideWeak({ ...state, running: without(state.running, event.origin) }, event.origin)
        : settle(state, event.origin)
  }
}

function askNext(state: Failover): FailoverDecision {
  const [origin, ...left] = state.left
  if (origin === undefined) return settleWithout(state)
  const asked = { ...state, left, running: [...state.running, origin] }
  const ask: FailoverEffect = { kind: 'ask', origin }
  return { state: asked, effects: state.repeatable && left.length > 0 ? [ask, { kind: 'wait' }] : [ask] }
}

function decideFailed(state: Failover, sent: boolean): FailoverDecision {
  if (sent && !state.repeatable) return settleWithout({ ...state, left: [] })
  return askNext(state)
}

function decideWeak(state: Failover, origin: number): FailoverDecision {
  if (!state.repeatable || state.weak !== null) {
    const dropped: FailoverEffect = { kind: 'drop', origin, slow: false }
    if (!state.repeatable) return settle(state, origin)
    const next = askNext(state)
    return { state: next.state, effects: [dropped, ...next.effects] }
  }
  return askNext({ ...state, weak: origin })
}

/** Nobody is left to ask: wait for those who are still running, then make do with a weak answer, then give up. */
function settleWithout(state: Failover): FailoverDecision {
  if (state.running.length > 0) return { state, effects: [] }
  return state.weak === null ? { state, effects: [{ kind: 'give-up' }] } : settle(state, state.weak)
}

function settle(state: Failover, origin: number): FailoverDecision {
  const slow = without(state.running, origin).map(
    (each): FailoverEffect => ({ kind: 'drop', origin: each, slow: true }),
  )
  const weak: FailoverEffect[] =
    state.weak === null || state.weak === origin ? [] : [{ kind: 'drop', origin: state.weak, slow: false }]
  return {
    state: { ...state, left: [], running: [], weak: null },
    effects: [{ kind: 'answer', origin }, ...slow, ...weak],
  }
}

const without = (origins: readonly number[], origin: number): number[] => origins.filter((each) => each !== origin)
