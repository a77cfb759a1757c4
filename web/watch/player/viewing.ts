import type { Problem, Result } from '../../common/problem.ts'
import { isPassing, type ViewerApi } from '../api/client.ts'
import type { Playback } from '../api/types.ts'
import { SESSION_REVOKED } from './failures.ts'
import { tokenOf } from './media-path.ts'

/** A failed heartbeat is tried again this soon: several fit into what is left of the token. */
const HEARTBEAT_RETRY_MS = 5_000
/** After so many periods without a renewal the token is not trusted to be good still. */
const HEARTBEATS_MISSED = 3
/** A cell that is restarting is back within seconds: nobody should have to press play twice for it. */
const BEGIN_AGAIN_MS = [300, 1_000, 2_500]

/** One viewing of a title: a playback session and the token that is good now. */
export type Viewing = {
  readonly playback: Playback
  sessionId(): string
  /** The newest token; renewed first when its heartbeats were missed, as on a machine that slept. */
  freshToken(): Promise<string>
  /** Gets a token that is good, by a heartbeat or else, unless the session was ended on purpose, by a new one. */
  renew(): Promise<Result<void>>
  close(): void
}

type ViewingOptions = {
  readonly api: Pick<ViewerApi, 'play' | 'heartbeat'>
  readonly titleId: string
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  /** The server has ended this viewing: the title is gone, or somebody ended the session on purpose. */
  readonly onGone: (problem: Problem) => void
}

/** Begins a viewing and keeps its token fresh until it is closed. */
export async function openViewing(options: ViewingOptions): Promise<Result<Viewing>> {
  const { api, titleId, now, onGone } = options
  const begun = await begin(options)
  if (!begun.ok) return begun
  const playback = begun.value
  let sessionId = playback.sessionId
  let token = tokenOf(playback.manifestUrl) ?? ''
  let renewedAtMs = now()
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false
  let renewing: Promise<Result<void>> | null = null

  function schedule(ms: number): void {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(beat, ms)
  }

  function accept(heartbeatMs: number): void {
    renewedAtMs = now()
    schedule(heartbeatMs)
  }

  async function beat(): Promise<void> {
    const renewed = await renew()
    if (closed || renewed.ok) return
    if (isPassing(renewed.problem)) schedule(HEARTBEAT_RETRY_MS)
    else onGone(renewed.problem)
  }

  async function renewOnce(): Promise<Result<void>> {
    const beaten = await api.heartbeat(sessionId, token)
    if (beaten.ok) {
      token = beaten.value.token
      accept(beaten.value.heartbeatMs)
      return { ok: true, value: undefined }
    }
    // Whoever ended it on purpose, on another device or among the staff, does not want it begun again by a machine.
    if (isPassing(beaten.problem) || beaten.problem.code === SESSION_REVOKED) return beaten
    // The old session is over (a machine that slept past its token); the title itself may well be there.
    const anew = await api.play(titleId)
    if (!anew.ok) return anew
    sessionId = anew.value.sessionId
    token = tokenOf(anew.value.manifestUrl) ?? ''
    accept(anew.value.heartbeatMs)
    return { ok: true, value: undefined }
  }

  function renew(): Promise<Result<void>> {
    renewing ??= renewOnce().finally(() => {
      renewing = null
    })
    return renewing
  }

  /** Spans of this machine's own clock only: it may disagree with the server's about what time it is. */
  async function freshToken(): Promise<string> {
    if (now() - renewedAtMs > playback.heartbeatMs * HEARTBEATS_MISSED) await renew()
    return token
  }

  schedule(playback.heartbeatMs)
  const close = (): void => {
    closed = true
    clearTimeout(timer)
  }
  return { ok: true, value: { playback, sessionId: () => sessionId, freshToken, renew, close } }
}

async function begin({ api, titleId, wait }: ViewingOptions): Promise<Result<Playback>> {
  let answer = await api.play(titleId)
  for (const ms of BEGIN_AGAIN_MS) {
    if (answer.ok || !isPassing(answer.problem)) break
    await wait(ms)
    answer = await api.play(titleId)
  }
  return answer
}
