import shaka from 'shaka-player/dist/shaka-player.hls-es2021.js'
import type { EngineFault } from './failures.ts'
import { withToken } from './media-path.ts'

/** What can be chosen, and what is chosen now. */
export type Tracks = {
  /** From highest to lowest. */
  readonly heights: readonly number[]
  /** Null: the engine chooses by itself. */
  readonly chosenHeight: number | null
  readonly activeHeight: number | null
  readonly captions: readonly CaptionsChoice[]
  readonly chosenCaptions: number | null
}
export type CaptionsChoice = { readonly id: number; readonly label: string; readonly language: string }

export const NO_TRACKS: Tracks = {
  heights: [],
  chosenHeight: null,
  activeHeight: null,
  captions: [],
  chosenCaptions: null,
}

/** The media engine behind the player: one film in one `<video>`. The vendor's names stay in this file. */
export type Engine = {
  /** Loads a master playlist. The fault that kept it from loading, or null. */
  load(address: string, startMs: number): Promise<EngineFault | null>
  chooseHeight(height: number | null): void
  chooseCaptions(id: number | null): void
  /** Takes up streaming again after a fault; false when only a new load can help. */
  retry(): boolean
  close(): Promise<void>
}

export type EngineOptions = {
  readonly video: HTMLVideoElement
  /** Captions are drawn into it. */
  readonly captionsLayer: HTMLElement
  /** The token that media requests carry. */
  readonly freshToken: () => Promise<string>
  readonly onTracks: (tracks: Tracks) => void
  /** Streaming stopped. */
  readonly onFault: (fault: EngineFault) => void
}

/**
 * A segment that is still being made is held by the server for up to 20 s and then answered with 503: waiting longer than
 * that for an answer, and asking again, is what makes a film playable before it is done.
 */
const PATIENCE: shaka.extern.RetryParameters = {
  maxAttempts: 8,
  baseDelay: 500,
  backoffFactor: 1.6,
  fuzzFactor: 0.3,
  timeout: 60_000,
  stallTimeout: 30_000,
  connectionTimeout: 30_000,
}
const BUFFER_AHEAD_S = 30
const BUFFER_BEHIND_S = 60
/** Between the lowest rungs and the middle ones: a quick start on a slow line, no long blur on a fast one. */
const FIRST_GUESS_BPS = 3_000_000
/** What stays buffered when the viewer chooses another quality: the change shows soon, and nothing stops meanwhile. */
const SWITCH_MARGIN_S = 3

export function createEngine(options: EngineOptions): Engine {
  const player = new shaka.Player()
  player.setVideoContainer(options.captionsLayer)
  player.configure({
    // Looking for captions inside the picture would ask for segments all over the film before the first frame.
    manifest: { retryParameters: PATIENCE, hls: { disableClosedCaptionsDetection: true } },
    streaming: {
      retryParameters: PATIENCE,
      bufferingGoal: BUFFER_AHEAD_S,
      bufferBehind: BUFFER_BEHIND_S,
      ignoreTextStreamFailures: true,
      // Our playlists follow from the film's plan and are exact: a seek asks for its own segment, not for the one before
      // it too, which may belong to a chunk that is not made yet.
      inaccurateManifestTolerance: 0,
    },
    abr: { defaultBandwidthEstimate: FIRST_GUESS_BPS, useNetworkInformation: false },
  })
  // Attaching opens the media source, which takes a moment: it does so while the server is asked for the film.
  const attached = player.attach(options.video)
  let chosenHeight: number | null = null

  player.getNetworkingEngine()?.registerRequestFilter(async (_, request) => {
    const token = await options.freshToken()
    request.uris = request.uris.map((address) => withToken(address, token))
  })

  function tracks(): Tracks {
    const video = player.getVideoTracks().filter((track) => track.height !== null)
    const captions = player.getTextTracks()
    return {
      heights: [...new Set(video.map((track) => track.height ?? 0))].sort((a, b) => b - a),
      chosenHeight,
      activeHeight: video.find((track) => track.active)?.height ?? null,
      captions: captions.map(({ id, label, language }) => ({ id, label: label || language, language })),
      chosenCaptions: captions.find((track) => track.active)?.id ?? null,
    }
  }

  const announce = (): void => options.onTracks(tracks())
  for (const change of ['trackschanged', 'adaptation', 'variantchanged', 'textchanged']) {
    player.addEventListener(change, announce)
  }
  player.addEventListener('error', (event) => {
    const { detail } = event as unknown as { detail: shaka.extern.Error }
    if (detail.severity === CRITICAL) options.onFault(toFault(detail))
  })

  return {
    async load(address, startMs) {
      try {
        if (!shaka.Player.isBrowserSupported()) return { kind: 'unsupported', code: 'no-media-source' }
        await attached
        await player.load(address, startMs / 1000, 'application/x-mpegurl')
        announce()
        return null
      } catch (error) {
        return toFault(error)
      }
    },
    chooseHeight(height) {
      chosenHeight = height
      player.configure('abr.enabled', height === null)
      const track = player.getVideoTracks().find((candidate) => candidate.height === height)
      if (track !== undefined && !track.active) player.selectVideoTrack(track, true, SWITCH_MARGIN_S)
      announce()
    },
    chooseCaptions(id) {
      player.selectTextTrack(player.getTextTracks().find((track) => track.id === id) ?? null)
      announce()
    },
    retry: () => player.retryStreaming(),
    close: () => player.destroy(),
  }
}

/** Builds an engine for nothing, so that the code a press of play runs through is compiled before it is pressed. */
export function warmEngine(): void {
  void new shaka.Player().destroy()
}

/** shaka.util.Error's numbers: they are stable, and the enums are not in the type's runtime. */
const CRITICAL = 2
const CATEGORY = { network: 1, media: 3, manifest: 4 } as const
const CODE = { badStatus: 1001, unsupported: 4032 } as const

function toFault(error: unknown): EngineFault {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Partial<shaka.extern.Error>
  const number = Number(fields.code)
  const code = Number.isNaN(number) ? 'unforeseen' : `media-${number}`
  if (number === CODE.badStatus) return { kind: 'status', status: Number(fields.data?.[1]) }
  if (number === CODE.unsupported) return { kind: 'unsupported', code }
  const category = Number(fields.category)
  if (category === CATEGORY.network) return { kind: 'network', code }
  if (category === CATEGORY.media) return { kind: 'decode', code }
  return { kind: 'other', code }
}
