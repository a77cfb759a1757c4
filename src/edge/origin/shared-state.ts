/**
 * One fetch shared by everyone who wants the same thing, as a pure machine: it knows who waits for the head, who reads,
 * and whether the cache wants the bytes; it says when to ask on, when to hand out and when to abandon.
 */
export type Shared = {
  readonly phase: 'asking' | 'streaming' | 'ended'
  /** Waiting for the head. */
  readonly waiting: number
  /** Given a stream of the shared bytes that they have not left. */
  readonly reading: number
  /** Readers that have had everything that came: as long as there are none, the origin is held back. */
  readonly hungry: number
  /** The cache wants the body, whoever leaves. */
  readonly storing: boolean
  /** A piece has been asked for and has not come. */
  readonly pulling: boolean
  readonly pace: Pace
}

/**
 * Who sets the pace. `free`: the fastest reader, or the cache. `readers`: somebody is so far behind that the cache alone is no
 * reason to go on. `held`: what he has not read yet would be lost, so nobody goes on.
 */
export type Pace = 'free' | 'readers' | 'held'

export type SharedEvent =
  | { readonly kind: 'joined' }
  | { readonly kind: 'left-waiting' }
  | HeadEvent
  | { readonly kind: 'hungry' }
  | { readonly kind: 'left-reading'; readonly hungry: boolean }
  | { readonly kind: 'chunk' }
  | { readonly kind: 'pace'; readonly pace: Pace }
  | { readonly kind: 'store-gone' }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed' }

type HeadEvent = {
  readonly kind: 'head'
  /** May be given to all who wait (RFC 9111, 3 and 4). */
  readonly share: boolean
  /** How many of those who wait are given it: at most whose request was sent, if it may not be shared. */
  readonly takers: number
  readonly storing: boolean
  readonly hasBody: boolean
}

export type SharedEffect =
  /** Everyone who waits and whom it fits gets the head and a stream. */
  | { readonly kind: 'hand-out' }
  /** Whose request was sent gets the response, every other one makes a fetch of its own. */
  | { readonly kind: 'disperse' }
  | { readonly kind: 'pull' }
  /** No one may join any more. */
  | { readonly kind: 'close-door' }
  | { readonly kind: 'finish' }
  /** Everyone fails with the same reason, the store included. */
  | { readonly kind: 'fail-all' }
  /** Nobody wants it: the origin's exchange ends. */
  | { readonly kind: 'abandon' }

export type SharedDecision = { readonly state: Shared; readonly effects: readonly SharedEffect[] }

export const NEW_SHARED: Shared = {
  phase: 'asking',
  waiting: 0,
  reading: 0,
  hungry: 0,
  storing: false,
  pulling: false,
  pace: 'free',
}

export function decideShared(state: Shared, event: SharedEvent): SharedDecision {
  if (state.phase === 'ended') return decideAfterEnd(state, event)
  switch (event.kind) {
    case 'joined':
      return state.phase === 'asking' ? still({ ...state, waiting: state.waiting + 1 }) : read(state)
    case 'left-waiting':
      return unlessUnwanted({ ...state, waiting: state.waiting - 1 })
    case 'head':
      return decideHead(state, event)
    case 'hungry':
      return pullOn({ ...state, hungry: state.hungry + 1 })
    case 'left-reading':
      return unlessUnwanted(leave(state, event.hungry))
    case 'chunk':
      // Whoever was hungry is given the piece, and says so again when it wants more.
      return pullOn({ ...state, hungry: 0, pulling: false })
    case 'pace':
      return pullOn({ ...state, pace: event.pace })
    case 'store-gone':
      return unlessUnwanted({ ...state, storing: false })
    case 'completed':
      return end(state, ['close-door', 'finish'])
    case 'failed':
      return end(state, ['close-door', 'fail-all'])
  }
}

function decideAfterEnd(state: Shared, event: SharedEvent): SharedDecision {
  if (event.kind === 'left-reading') return still(leave(state, event.hungry))
  return still(state)
}

function decideHead(state: Shared, event: HeadEvent): SharedDecision {
  const readers = event.takers
  const door: SharedEffect['kind'][] = event.share ? [] : ['close-door']
  const out: SharedEffect['kind'] = event.share ? 'hand-out' : 'disperse'
  const headed: Shared = { ...state, phase: 'streaming', waiting: 0, reading: readers, storing: event.storing }
  if (!event.hasBody) return end({ ...headed, reading: 0 }, ['close-door', out, 'finish'])
  if (readers === 0 && !event.storing) return end(headed, ['close-door', out, 'abandon'])
  const pulled = pullOn(headed)
  return { state: pulled.state, effects: [...toEffects([...door, out]), ...pulled.effects] }
}

/** The origin is asked for more only while somebody is at its heels: the pace is the fastest reader's, or the store's. */
function pullOn(state: Shared): SharedDecision {
  if (state.phase !== 'streaming' || state.pulling || !isWanted(state)) return still(state)
  return { state: { ...state, pulling: true }, effects: [{ kind: 'pull' }] }
}

function isWanted({ pace, hungry, storing }: Shared): boolean {
  return pace !== 'held' && (hungry > 0 || (storing && pace === 'free'))
}

function unlessUnwanted(state: Shared): SharedDecision {
  if (state.waiting > 0 || state.reading > 0 || state.storing) return pullOn(state)
  return end(state, ['close-door', 'abandon'])
}

const leave = (state: Shared, hungry: boolean): Shared => {
  const reading = state.reading - 1
  return { ...state, reading, hungry: state.hungry - (hungry ? 1 : 0), pace: reading === 0 ? 'free' : state.pace }
}
const read = (state: Shared): SharedDecision => still({ ...state, reading: state.reading + 1 })
const still = (state: Shared): SharedDecision => ({ state, effects: [] })
const toEffects = (kinds: readonly SharedEffect['kind'][]): SharedEffect[] => kinds.map((kind) => ({ kind }))
const end = (state: Shared, kinds: readonly SharedEffect['kind'][]): SharedDecision => {
  return { state: { ...state, phase: 'ended', storing: false, pulling: false }, effects: toEffects(kinds) }
}
