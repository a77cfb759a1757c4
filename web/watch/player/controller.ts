import type { ViewerApi } from '../api/client.ts'
import type { Signal } from '../api/types.ts'
import { decideResume, recallPosition, rememberPosition } from '../resume.ts'
import { type Beacons, createBeacons } from './beacons.ts'
import { createEngine, type Engine, NO_TRACKS, type Tracks } from './engine.ts'
import { describeFault, describeProblem, type EngineFault } from './failures.ts'
import { decide, FIRST_STATE, type PlayerEffect, type PlayerEvent, type PlayerState } from './machine.ts'
import { readPreferences, writePreferences } from './preferences.ts'
import { openViewing, type Viewing } from './viewing.ts'

export type Snapshot = { readonly state: PlayerState; readonly tracks: Tracks; readonly durationMs: number }

export type Controller = {
  snapshot(): Snapshot
  subscribe(listener: () => void): () => void
  toggle(): void
  seek(positionMs: number): void
  chooseHeight(height: number | null): void
  chooseCaptions(id: number | null): void
  /** Stops everything; resolves when the last signals are delivered. */
  close(): Promise<void>
}

export type ControllerOptions = {
  readonly api: ViewerApi
  readonly titleId: string
  readonly fromStart: boolean
  readonly video: HTMLVideoElement
  readonly captionsLayer: HTMLElement
  readonly storage: Storage
}

/** Performs what the machine decides: joins the `<video>`, the engine, the playback session and the beacons. */
export function createController(options: ControllerOptions): Controller {
  const { api, titleId, video, storage } = options
  const listeners = new Set<() => void>()
  const life = new AbortController()
  const beacons: Beacons = createBeacons(api.signals)
  let current: Snapshot = { state: FIRST_STATE, tracks: NO_TRACKS, durationMs: 0 }
  let viewing: Viewing | null = null
  const engine: Engine = createEngine({
    video,
    captionsLayer: options.captionsLayer,
    freshToken: async () => (await viewing?.freshToken()) ?? '',
    onTracks: (tracks) => update({ tracks }),
    onFault,
  })

  function update(change: Partial<Snapshot>): void {
    if (life.signal.aborted) return
    current = { ...current, ...change }
    for (const listener of listeners) listener()
  }

  function dispatch(event: PlayerEvent): void {
    const { state, effects } = decide(current.state, event, Date.now())
    if (state !== current.state) update({ state })
    for (const effect of effects) perform(effect)
    if (state.phase === 'failed') video.pause()
  }

  function perform(effect: PlayerEffect): void {
    if (effect.type === 'signal') addSignal(effect.kind, effect.positionMs)
    else if (effect.type === 'remember')
      rememberPosition(storage, titleId, { positionMs: effect.positionMs, atMs: Date.now() })
    else if (effect.type === 'flush') void beacons.flush({ leaving: effect.leaving })
    else void renew()
  }

  function addSignal(kind: Signal['kind'], positionMs: number): void {
    const sessionId = viewing?.sessionId()
    if (sessionId !== undefined) beacons.add({ id: crypto.randomUUID(), sessionId, titleId, kind, positionMs })
  }

  async function renew(): Promise<void> {
    const renewed = await viewing?.renew()
    if (renewed === undefined || life.signal.aborted) return
    if (!renewed.ok) dispatch({ type: 'failed', failure: describeProblem(renewed.problem) })
    else if (!engine.retry()) dispatch({ type: 'failed', failure: describeFault({ kind: 'other', code: 'retry' }) })
  }

  function onFault(fault: EngineFault): void {
    if (fault.kind === 'status' && (fault.status === 401 || fault.status === 403)) dispatch({ type: 'refused' })
    else dispatch({ type: 'failed', failure: describeFault(fault) })
  }

  async function open(): Promise<void> {
    const opened = await openViewing({
      api,
      titleId,
      now: Date.now,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      onGone: (problem) => dispatch({ type: 'failed', failure: describeProblem(problem) }),
    })
    if (!opened.ok) return dispatch({ type: 'failed', failure: describeProblem(opened.problem) })
    viewing = opened.value
    if (life.signal.aborted) return viewing.close()
    const { playback } = viewing
    update({ durationMs: playback.durationMs })
    const fault = await engine.load(playback.manifestUrl, startOf(playback))
    if (life.signal.aborted) return
    if (fault !== null) return dispatch({ type: 'failed', failure: describeFault(fault) })
    restoreCaptions()
    play()
  }

  function startOf({ resumeMs, durationMs }: { resumeMs: number; durationMs: number }): number {
    if (options.fromStart) return 0
    return decideResume({ serverMs: resumeMs, local: recallPosition(storage, titleId), durationMs, nowMs: Date.now() })
  }

  function play(): void {
    video.play().catch((error: unknown) => {
      const refused = error instanceof DOMException && error.name === 'NotAllowedError'
      if (refused && !life.signal.aborted) dispatch({ type: 'blocked' })
    })
  }

  function restoreCaptions(): void {
    const { captionsLanguage } = readPreferences(storage)
    const wanted = current.tracks.captions.find((track) => track.language === captionsLanguage)
    if (wanted !== undefined) engine.chooseCaptions(wanted.id)
  }

  listen(video, life.signal, dispatch)
  void open()

  return {
    snapshot: () => current,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    toggle() {
      if (current.state.phase === 'failed') return
      if (video.ended) video.currentTime = 0
      if (video.paused || video.ended) play()
      else video.pause()
    },
    seek(positionMs) {
      if (current.durationMs === 0) return
      video.currentTime = Math.max(0, Math.min(positionMs, current.durationMs)) / 1000
    },
    chooseHeight: (height) => engine.chooseHeight(height),
    chooseCaptions(id) {
      const language = current.tracks.captions.find((track) => track.id === id)?.language ?? null
      writePreferences(storage, { captionsLanguage: language })
      engine.chooseCaptions(id)
    },
    async close() {
      dispatch({ type: 'paused' })
      life.abort()
      viewing?.close()
      await Promise.all([beacons.flush({ leaving: false }), engine.close()])
    },
  }
}

/** Turns what the browser says into the machine's events, until `signal` ends it. */
function listen(video: HTMLVideoElement, signal: AbortSignal, dispatch: (event: PlayerEvent) => void): void {
  const positionMs = (): number => Math.round(video.currentTime * 1000)
  const on = (name: string, toEvent: () => PlayerEvent): void =>
    video.addEventListener(name, () => dispatch(toEvent()), { signal })
  for (const type of ['playing', 'waiting', 'ended'] as const) on(type, () => ({ type }))
  for (const type of ['seeking', 'seeked'] as const) on(type, () => ({ type, positionMs: positionMs() }))
  on('pause', () => ({ type: 'paused' }))
  on('timeupdate', () => ({ type: 'moved', positionMs: positionMs() }))
  const leave = (): void => dispatch({ type: 'leaving' })
  const hide = (): void => {
    if (document.visibilityState === 'hidden') leave()
  }
  window.addEventListener('pagehide', leave, { signal })
  document.addEventListener('visibilitychange', hide, { signal })
}
