import { draw, type RandomState, seedOf } from '../random.ts'
import type { ViewerHabits } from './habits.ts'
import type { Job } from './job.ts'
import { WAIT_MS_MAX } from './limits.ts'
import { patienceMs } from './patience.ts'
import type { Player } from './player.ts'
import type { ViewerEffect, ViewerMode, ViewerNote, ViewerOrigin } from './protocol.ts'

/** Where in their evening a viewer is; `watching` from the press of play until the film is left. */
export type Phase =
  | 'unborn'
  | 'signing-in'
  | 'opening-home'
  | 'seeing-posters'
  | 'looking'
  | 'opening-title'
  | 'reading'
  | 'watching'
  | 'closing'
  | 'gone'

export type Signal = {
  readonly id: string
  readonly sessionId: string
  readonly titleId: string
  readonly kind: 'started' | 'progress' | 'stalled' | 'ended'
  readonly positionMs: number
}

/** What is decided about a viewer before they come, so that no server's speed changes who they are. */
export type Persona = {
  readonly patienceMs: number
  readonly browseOnly: boolean
  readonly premiereDraw: number
  readonly rankDraw: number
  /** Film time they mean to watch; Infinity: to the end. */
  readonly watchMs: number
  readonly returnsHome: boolean
}

/** A viewer while a turn decides about them; from outside it is a `ViewerState`. */
export type Viewer = {
  origin: ViewerOrigin
  persona: Persona
  phase: Phase
  mode: ViewerMode | null
  random: RandomState
  /** The alarm that is set, Infinity when none is. */
  alarmMs: number
  request: Job | null
  /** Since when the viewer waits for something they notice; Infinity while they do not. */
  waitSinceMs: number
  /** When the hesitation ends, in the phases that are one. */
  clickMs: number
  /** Failed attempts at what is to be done next, and when it is tried again; 0: at once. */
  attempts: number
  retryAtMs: number
  token: string | null
  viewerId: string
  titleId: string | null
  goneTitles: number
  posters: readonly string[]
  posterIndex: number
  filmOver: boolean
  premiereEndsMs: number
  /** Answered, but the viewer's line still carries it until `lineFreeMs`. */
  arriving: Job | null
  lineFreeMs: number
  outbox: readonly Signal[]
  /** How many of the outbox, from its beginning, were told to the journal. */
  outboxTold: number
  outboxDueMs: number
  outboxAttempts: number
  signalsMade: number
  player: Player | null
}

/** Plain data, not to be changed: `decideViewer` gives the next one. */
export type ViewerState = Readonly<Omit<Viewer, 'player'>> & { readonly player: Readonly<Player> | null }

/** One decision being made. */
export type Turn = { readonly viewer: Viewer; readonly habits: ViewerHabits; readonly effects: ViewerEffect[] }

/** A viewer who has not arrived yet. All chance follows from the origin's seed and index. */
export function createViewer(origin: ViewerOrigin, habits: ViewerHabits): ViewerState {
  let random = seedOf(origin.seed, origin.index)
  const next = (): number => {
    const drawn = draw(random)
    random = drawn.next
    return drawn.value
  }
  const persona: Persona = {
    patienceMs: Math.min(WAIT_MS_MAX, patienceMs(habits.patience, next())),
    browseOnly: next() < habits.browseOnlyShare,
    premiereDraw: next(),
    rankDraw: next(),
    watchMs: toWatchMs(habits, next(), next()),
    returnsHome: next() < habits.returnHomeShare,
  }
  return {
    origin,
    persona,
    phase: 'unborn',
    mode: null,
    random,
    alarmMs: Number.POSITIVE_INFINITY,
    request: null,
    waitSinceMs: Number.POSITIVE_INFINITY,
    clickMs: Number.POSITIVE_INFINITY,
    attempts: 0,
    retryAtMs: 0,
    token: null,
    viewerId: '',
    titleId: null,
    goneTitles: 0,
    posters: NO_POSTERS,
    posterIndex: 0,
    filmOver: false,
    premiereEndsMs: Number.POSITIVE_INFINITY,
    arriving: null,
    lineFreeMs: 0,
    outbox: NO_SIGNALS,
    outboxTold: 0,
    outboxDueMs: 0,
    outboxAttempts: 0,
    signalsMade: 0,
    player: null,
  }
}

const NO_POSTERS: readonly string[] = []
const NO_SIGNALS: readonly Signal[] = []

function toWatchMs(habits: ViewerHabits, shareDraw: number, timeDraw: number): number {
  return shareDraw < habits.watchToEndShare ? Number.POSITIVE_INFINITY : toExponential(habits.watchMeanMs, timeDraw)
}

/** An exponentially distributed time from an even draw. */
export function toExponential(meanMs: number, share: number): number {
  return -Math.log1p(-share) * meanMs
}

/** The state is copied once per turn, one level deep and the player's; everything below is shared and never changed. */
export function openTurn(state: ViewerState, habits: ViewerHabits): Turn {
  return { viewer: { ...state, player: state.player === null ? null : { ...state.player } }, habits, effects: [] }
}

export function drawOf(viewer: Viewer): number {
  const { value, next } = draw(viewer.random)
  viewer.random = next
  return value
}

export function tell(turn: Turn, note: ViewerNote): void {
  turn.effects.push({ type: 'note', note })
}

export function changeMode(turn: Turn, mode: ViewerMode): void {
  if (turn.viewer.mode === mode) return
  turn.viewer.mode = mode
  tell(turn, { type: 'mode', mode })
}

/** The step that is to be done next, with all its attempts before it. */
export function enterPhase(viewer: Viewer, phase: Phase): void {
  viewer.phase = phase
  viewer.attempts = 0
  viewer.retryAtMs = 0
  viewer.waitSinceMs = Number.POSITIVE_INFINITY
}
