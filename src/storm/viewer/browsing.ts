import { readHome, readSession, readTitle } from './answers.ts'
import { choosePosters, chooseTitle } from './choose.ts'
import { giveUp, leave } from './leaving.ts'
import { GONE_TITLES_MAX } from './limits.ts'
import { changeMode, drawOf, enterPhase, type Turn, tell } from './state.ts'

/** What a viewer does outside a film. Each `on…Answered` says whether the answer could be read. */

export function arrive(turn: Turn): void {
  changeMode(turn, 'browsing')
  enterPhase(turn.viewer, 'signing-in')
}

export function onSessionAnswered(turn: Turn, content: unknown): boolean {
  const session = readSession(content)
  if (session === null) return false
  const { viewer } = turn
  viewer.token = session.token
  viewer.viewerId = session.viewerId
  tell(turn, { type: 'cell', cell: session.cell })
  enterPhase(viewer, 'opening-home')
  return true
}

export function onHomeAnswered(turn: Turn, content: unknown, atMs: number): boolean {
  const listed = readHome(content)
  if (listed === null) return false
  const { viewer } = turn
  const { origin, persona } = viewer
  // Pictures seen once are in the browser's cache.
  const firstTime = !viewer.filmOver && viewer.goneTitles === 0
  const law = origin.titles
  const staysForFilm = !viewer.filmOver && !persona.browseOnly
  const chosen = staysForFilm ? chooseTitle(origin.choices ?? listed, origin.premiereId, { ...persona, law }) : null
  viewer.titleId = chosen?.id ?? null
  if (firstTime) viewer.posters = choosePosters(listed, chosen)
  enterPhase(viewer, 'seeing-posters')
  lookWhenSeen(turn, atMs)
  return true
}

/** A picture that did not come leaves a gap on the page; nobody waits for it. */
export function onPoster(turn: Turn, atMs: number): void {
  turn.viewer.posterIndex += 1
  lookWhenSeen(turn, atMs)
}

function lookWhenSeen(turn: Turn, atMs: number): void {
  if (turn.viewer.posterIndex >= turn.viewer.posters.length) hesitate(turn, 'looking', atMs)
}

export function onTitleAnswered(turn: Turn, content: unknown, atMs: number): boolean {
  if (!readTitle(content)) return false
  hesitate(turn, 'reading', atMs)
  return true
}

/** A title that was listed and is not there any more: back to the home page, a few times. */
export function onTitleGone(turn: Turn, atMs: number): void {
  const { viewer } = turn
  viewer.goneTitles += 1
  if (viewer.goneTitles > GONE_TITLES_MAX) giveUp(turn, 'refused', atMs)
  else enterPhase(viewer, 'opening-home')
}

function hesitate(turn: Turn, phase: 'looking' | 'reading', atMs: number): void {
  const [minMs, maxMs] = turn.habits.hesitationMs
  enterPhase(turn.viewer, phase)
  turn.viewer.clickMs = atMs + minMs + drawOf(turn.viewer) * (maxMs - minMs)
}

/** The hesitation is over. */
export function onClick(turn: Turn, atMs: number): void {
  const { viewer } = turn
  const pressesPlay = viewer.phase === 'reading'
  viewer.clickMs = Number.POSITIVE_INFINITY
  if (viewer.titleId === null) {
    leave(turn, atMs)
    return
  }
  enterPhase(viewer, pressesPlay ? 'watching' : 'opening-title')
  // From the click on, whenever its first request gets away.
  viewer.waitSinceMs = atMs
  if (pressesPlay) changeMode(turn, 'starting')
}
