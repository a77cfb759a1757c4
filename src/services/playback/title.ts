import type { Plan } from '../../contracts/index.ts'

/** What playback needs to know of a track; the catalogue's view of it fits. */
export type PlayableTrack = {
  readonly codec: string
  readonly initKey: string
  readonly segments: readonly ({ readonly objectKey: string; readonly bytes: number } | undefined)[]
  readonly made: number
  readonly contiguous: number
  readonly bytes: number
}

/** What playback needs to know of a listed title. */
export type PlayableTitle = {
  readonly id: string
  readonly plan: Plan | null
  readonly readiness: ReadonlyMap<string, PlayableTrack>
  readonly captions: ReadonlyMap<string, string>
  readonly poster: string | null
}
