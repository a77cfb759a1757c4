import { onSignalsAnswered } from './beacons.ts'
import { arrive, onHomeAnswered, onPoster, onSessionAnswered, onTitleAnswered } from './browsing.ts'
import { onFailed } from './failing.ts'
import type { ViewerHabits } from './habits.ts'
import type { Job } from './job.ts'
import { breakOff } from './leaving.ts'
import {
  onHeartbeatAnswered,
  onInitAnswered,
  onPlaybackAnswered,
  onPlaylistAnswered,
  onSegmentAnswered,
} from './media.ts'
import { nextMoment, perform } from './moments.ts'
import type { ViewerEffect, ViewerEvent } from './protocol.ts'
import { sendNext } from './sending.ts'
import { openTurn, type Turn, type ViewerState } from './state.ts'

export type ViewerDecision = { readonly state: ViewerState; readonly effects: readonly ViewerEffect[] }

const NOTHING: readonly ViewerEffect[] = []

/**
 * What a viewer does about an event. Pure: equal states and events give equal effects. A viewer lives in their own time:
 * whatever should have happened before `nowMs` happens first, at its own moment, so that an alarm delivered late shifts
 * neither the playhead nor what a request is due at. `nowMs` of `arrive` is when the viewer was to arrive.
 */
export function decideViewer(
  state: ViewerState,
  event: ViewerEvent,
  nowMs: number,
  habits: ViewerHabits,
): ViewerDecision {
  if (state.phase === 'gone') return { state, effects: NOTHING }
  const turn = openTurn(state, habits)
  const { viewer } = turn
  catchUp(turn, nowMs, 'before')
  if (!isGone(turn)) take(turn, event, nowMs)
  sendNext(turn, nowMs)
  const nextMs = catchUp(turn, nowMs, 'until')
  // An alarm that is set too early does no harm; to set it anew at each segment would cost more than to let it ring.
  if (!isGone(turn) && nextMs < viewer.alarmMs) {
    viewer.alarmMs = nextMs
    turn.effects.push({ type: 'wake', atMs: nextMs })
  }
  return { state: viewer, effects: turn.effects }
}

/** Lives through all moments before `nowMs`, or until and with it; returns when the next one is. */
function catchUp(turn: Turn, nowMs: number, how: 'before' | 'until'): number {
  while (!isGone(turn)) {
    const moment = nextMoment(turn)
    if (how === 'before' ? moment.atMs >= nowMs : moment.atMs > nowMs) return moment.atMs
    perform(turn, moment)
    sendNext(turn, moment.atMs)
  }
  return Number.POSITIVE_INFINITY
}

function isGone({ viewer }: Turn): boolean {
  return viewer.phase === 'gone'
}

type Answer = Extract<ViewerEvent, { type: 'answer' }>

function take(turn: Turn, event: ViewerEvent, nowMs: number): void {
  const { viewer } = turn
  if (event.type === 'wake') {
    viewer.alarmMs = Number.POSITIVE_INFINITY
  } else if (event.type === 'arrive') {
    if (viewer.phase === 'unborn') arrive(turn)
  } else if (event.type === 'storm-ended') {
    breakOff(turn, nowMs)
  } else if (event.type === 'premiere-ended') {
    const watchesIt = viewer.phase === 'watching' && viewer.titleId === viewer.origin.premiereId
    if (watchesIt) viewer.premiereEndsMs = Math.max(event.atMs, nowMs)
  } else if (viewer.request !== null) {
    const job = viewer.request
    viewer.request = null
    if (event.type === 'failed') onFailed(turn, job, event.failure, nowMs)
    else takeAnswer(turn, job, event, nowMs)
  }
}

function takeAnswer(turn: Turn, job: Job, answer: Answer, nowMs: number): void {
  if (ANSWERED[job.kind](turn, job, answer, nowMs) !== false) return
  const why = `the answer to a ${job.kind} request lacks what the contract says; see docs/viewer-api.md`
  onFailed(turn, job, { kind: 'unreadable', why }, nowMs)
}

/** False: the answer could not be read. */
type Answered = (turn: Turn, job: Job, answer: Answer, nowMs: number) => boolean

const ANSWERED: Readonly<Record<Job['kind'], Answered>> = {
  session: (turn, _, { content }) => onSessionAnswered(turn, content),
  home: (turn, _, { content }, nowMs) => onHomeAnswered(turn, content, nowMs),
  title: (turn, _, { content }, nowMs) => onTitleAnswered(turn, content, nowMs),
  art: always((turn, _, __, nowMs) => onPoster(turn, nowMs)),
  playback: (turn, _, { content }, nowMs) => onPlaybackAnswered(turn, content, nowMs),
  playlist: (turn, job, { content }, nowMs) => onPlaylistAnswered(turn, job, content, nowMs),
  init: always(onInitAnswered),
  segment: always(onSegmentAnswered),
  signals: always((turn, job) => onSignalsAnswered(turn, job.index)),
  heartbeat: (turn, _, { content }, nowMs) => onHeartbeatAnswered(turn, content, nowMs),
}

/** For answers of which nothing is read. */
function always(act: (...given: Parameters<Answered>) => void): Answered {
  return (...given) => {
    act(...given)
    return true
  }
}
