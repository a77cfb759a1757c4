import type { Signal } from '../api/types.ts'

/** What the viewer sees of a film being played. */
export type Phase = 'opening' | 'blocked' | 'playing' | 'paused' | 'waiting' | 'ended' | 'failed'

export type Failure = {
  readonly code: string
  /** What went wrong, and what to do: two sentences for people. */
  readonly heading: string
  readonly advice: string
  readonly retryable: boolean
}

export type PlayerState = {
  readonly phase: Phase
  readonly positionMs: number
  readonly seeking: boolean
  /** `started` is reported once per playback session. */
  readonly reported: boolean
  readonly reportedAtMs: number
  readonly reportedPositionMs: number
  /** Renewals of a refused signature since media last arrived. */
  readonly renewals: number
  readonly failure: Failure | null
}

export type PlayerEvent =
  | { readonly type: 'playing' | 'paused' | 'waiting' | 'blocked' | 'ended' | 'refused' }
  | { readonly type: 'moved' | 'seeking' | 'seeked'; readonly positionMs: number }
  /** The page is being hidden or left. */
  | { readonly type: 'leaving' }
  | { readonly type: 'failed'; readonly failure: Failure }

export type PlayerEffect =
  | { readonly type: 'signal'; readonly kind: Signal['kind']; readonly positionMs: number }
  | { readonly type: 'remember'; readonly positionMs: number }
  | { readonly type: 'flush'; readonly leaving: boolean }
  /** The media's signature was refused: get a new one and go on. */
  | { readonly type: 'renew' }

export type Decision = { readonly state: PlayerState; readonly effects: readonly PlayerEffect[] }

const PROGRESS_EVERY_MS = 5_000
/** A new signature refused this often in a row will not be accepted the next time either. */
const RENEWALS_MAX = 3

export const FIRST_STATE: PlayerState = {
  phase: 'opening',
  positionMs: 0,
  seeking: false,
  reported: false,
  reportedAtMs: 0,
  reportedPositionMs: 0,
  renewals: 0,
  failure: null,
}

const REFUSED: Failure = {
  code: 'refused',
  heading: 'The film stopped',
  advice: 'This viewing is no longer accepted. Press play again to start a new one.',
  retryable: true,
}

/** The player's rules: which phase follows, and what is told to the server and remembered. Pure. */
export function decide(state: PlayerState, event: PlayerEvent, nowMs: number): Decision {
  // A failure is left by starting anew only; the page's end still reports where the film stood.
  if (state.phase === 'failed' && event.type !== 'leaving') return { state, effects: [] }
  switch (event.type) {
    case 'playing':
      return decidePlaying({ ...state, phase: 'playing', renewals: 0 }, nowMs)
    case 'paused':
      return state.phase === 'ended' ? { state, effects: [] } : report({ ...state, phase: 'paused' }, nowMs, false)
    case 'blocked':
      return { state: { ...state, phase: 'blocked' }, effects: [] }
    case 'waiting':
      return decideWaiting(state)
    case 'moved':
      return decideMoved({ ...state, positionMs: event.positionMs }, nowMs)
    case 'seeking':
      return { state: { ...state, seeking: true, positionMs: event.positionMs }, effects: [] }
    case 'seeked':
      return report(
        { ...state, seeking: false, positionMs: event.positionMs, phase: leaveEnd(state.phase) },
        nowMs,
        false,
      )
    case 'ended':
      return decideEnded(state)
    case 'leaving':
      return report(state, nowMs, true)
    case 'refused':
      return decideRefused(state)
    case 'failed':
      return decideFailed(state, event.failure, nowMs)
  }
}

function decidePlaying(state: PlayerState, nowMs: number): Decision {
  if (state.reported) return { state, effects: [] }
  const { positionMs } = state
  const reported = { ...state, reported: true, reportedAtMs: nowMs, reportedPositionMs: positionMs }
  return {
    state: reported,
    effects: [
      { type: 'signal', kind: 'started', positionMs },
      { type: 'flush', leaving: false },
    ],
  }
}

/** Waiting for data after a seek is what a seek is; waiting in the middle of a film is a stall. */
function decideWaiting(state: PlayerState): Decision {
  if (state.phase !== 'playing') return { state, effects: [] }
  const stalled = state.reported && !state.seeking
  const { positionMs } = state
  return {
    state: { ...state, phase: 'waiting' },
    effects: stalled ? [{ type: 'signal', kind: 'stalled', positionMs }] : [],
  }
}

function decideMoved(state: PlayerState, nowMs: number): Decision {
  if (state.phase !== 'playing' || nowMs - state.reportedAtMs < PROGRESS_EVERY_MS) return { state, effects: [] }
  return report(state, nowMs, false)
}

/** Tells where the film stands, unless it was told already. */
function report(state: PlayerState, nowMs: number, leaving: boolean): Decision {
  const { positionMs } = state
  const flush: PlayerEffect = { type: 'flush', leaving }
  if (!state.reported || state.phase === 'ended') return { state, effects: leaving ? [flush] : [] }
  const remember: PlayerEffect = { type: 'remember', positionMs }
  if (positionMs === state.reportedPositionMs) return { state, effects: leaving ? [remember, flush] : [] }
  return {
    state: { ...state, reportedAtMs: nowMs, reportedPositionMs: positionMs },
    effects: [remember, { type: 'signal', kind: 'progress', positionMs }, flush],
  }
}

function decideEnded(state: PlayerState): Decision {
  if (state.phase === 'ended' || !state.reported) return { state: { ...state, phase: 'ended' }, effects: [] }
  const { positionMs } = state
  return {
    state: { ...state, phase: 'ended', reportedPositionMs: positionMs },
    effects: [
      { type: 'remember', positionMs },
      { type: 'signal', kind: 'ended', positionMs },
      { type: 'flush', leaving: false },
    ],
  }
}

function decideRefused(state: PlayerState): Decision {
  if (state.renewals >= RENEWALS_MAX) return { state: { ...state, phase: 'failed', failure: REFUSED }, effects: [] }
  return { state: { ...state, renewals: state.renewals + 1 }, effects: [{ type: 'renew' }] }
}

function decideFailed(state: PlayerState, failure: Failure, nowMs: number): Decision {
  const told = report(state, nowMs, false)
  return { state: { ...told.state, phase: 'failed', failure }, effects: told.effects }
}

function leaveEnd(phase: Phase): Phase {
  return phase === 'ended' ? 'paused' : phase
}
