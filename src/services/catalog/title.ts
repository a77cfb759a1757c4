import type { z } from 'zod'
import type { CloudEvent, EventData, EventType, Plan, TitleState, titleMetadataSchema } from '../../contracts/index.ts'

export type ReadySegment = { readonly objectKey: string; readonly bytes: number }

/** What exists of one track. Grows in place as segments are made: read it, never keep a copy of its fields. */
export type TrackReadiness = {
  /** RFC 6381, as measured. */
  readonly codec: string
  readonly initKey: string
  /** By index; a hole is a segment still to be made. */
  readonly segments: readonly (ReadySegment | undefined)[]
  readonly made: number
  /** Segments made from the first on, without a hole. */
  readonly contiguous: number
  readonly bytes: number
}

/** A title as the log tells it. A new object after every event about it, so that identity says whether it changed. */
export type CatalogTitle = {
  readonly id: string
  readonly metadata: z.infer<typeof titleMetadataSchema>
  readonly state: TitleState
  readonly plan: Plan | null
  /** By track: a rendition's id or `a0`. */
  readonly readiness: ReadonlyMap<string, TrackReadiness>
  /** Object key of each captions track that is ready, by track. */
  readonly captions: ReadonlyMap<string, string>
  /** Object key, or null while there is none. */
  readonly poster: string | null
  readonly percent: number
  readonly stages: EventData<'tentpole.title.progress.v1'>['stages']
  /** Why it failed or was withdrawn. */
  readonly code: string | null
  readonly reason: string | null
  readonly fileName: string | null
  readonly updatedAtMs: number
}

export type CatalogEventType = Extract<EventType, `tentpole.title.${string}` | 'tentpole.asset.uploaded.v1'>

/** Whether viewers see it: it can be watched from start to end, and was not taken down. */
export function isListed(title: CatalogTitle): boolean {
  return title.plan !== null && (title.state === 'playable' || title.state === 'published')
}

/**
 * The title after one more event. The topics `assets` and `titles` have no order between them, so what the upload says
 * only fills in what is missing. Withdrawn is final; a failed title can only be withdrawn.
 */
export function decideTitle(before: CatalogTitle | undefined, event: CloudEvent<CatalogEventType>): CatalogTitle {
  const title = before ?? blankTitle(event.data.titleId)
  if (isOver(title, event)) return title
  const decide = DECISIONS[event.type] as (title: CatalogTitle, data: unknown) => Partial<CatalogTitle>
  return { ...title, ...decide(title, event.data), updatedAtMs: Math.max(title.updatedAtMs, Date.parse(event.time)) }
}

/** Whether the title's end has come, and the event is not one that still counts then. */
function isOver({ state }: CatalogTitle, { type }: CloudEvent<CatalogEventType>): boolean {
  if (type === 'tentpole.asset.uploaded.v1') return false
  return state === 'withdrawn' || (state === 'failed' && type !== 'tentpole.title.withdrawn.v1')
}

type Decisions = {
  readonly [T in CatalogEventType]: (title: CatalogTitle, data: EventData<T>) => Partial<CatalogTitle>
}

const DECISIONS: Decisions = {
  'tentpole.asset.uploaded.v1': (title, data) => ({
    fileName: data.source.fileName,
    metadata: title.plan ? title.metadata : data.metadata,
    state: title.state === 'uploading' ? 'processing' : title.state,
  }),
  // A plan is made once and everything made is numbered by it: a repeat changes nothing.
  'tentpole.title.planned.v1': (title, data) =>
    title.plan ? {} : { metadata: data.metadata, plan: data.plan, state: 'processing' },
  'tentpole.title.segments.v1': (title, data) => ({ readiness: withSegments(title.readiness, data) }),
  'tentpole.title.captions.v1': (title, data) => ({
    captions: new Map(title.captions).set(data.track, data.objectKey),
  }),
  'tentpole.title.poster.v1': (_, data) => ({ poster: data.objectKey }),
  'tentpole.title.progress.v1': (title, data) =>
    title.state === 'published' ? {} : { percent: data.percent, stages: data.stages },
  'tentpole.title.playable.v1': (title) => (title.state === 'published' ? {} : { state: 'playable' }),
  'tentpole.title.published.v1': () => ({ state: 'published', percent: 100 }),
  'tentpole.title.failed.v1': (_, data) => ({ state: 'failed', code: data.code, reason: data.reason }),
  'tentpole.title.withdrawn.v1': (_, data) => ({
    state: 'withdrawn',
    code: 'withdrawn',
    reason: data.reason,
    readiness: new Map(),
    captions: new Map(),
    poster: null,
  }),
}

function blankTitle(id: string): CatalogTitle {
  return {
    id,
    metadata: { name: id, description: '', createdAtMs: 0 },
    state: 'uploading',
    plan: null,
    readiness: new Map(),
    captions: new Map(),
    poster: null,
    percent: 0,
    stages: [],
    code: null,
    reason: null,
    fileName: null,
    updatedAtMs: 0,
  }
}

type GrowingTrack = { -readonly [K in keyof TrackReadiness]: TrackReadiness[K] } & {
  segments: (ReadySegment | undefined)[]
}

/** Grows the track in place: copying the segments of a twelve-hour film for each event would cost the square of its length. */
function withSegments(
  readiness: ReadonlyMap<string, TrackReadiness>,
  data: EventData<'tentpole.title.segments.v1'>,
): ReadonlyMap<string, TrackReadiness> {
  const existing = readiness.get(data.track)
  const track = (existing ?? {
    codec: data.init.codec,
    initKey: data.init.objectKey,
    segments: [],
    made: 0,
    contiguous: 0,
    bytes: 0,
  }) as GrowingTrack
  for (const { index, objectKey, bytes } of data.segments) {
    if (track.segments[index]) continue
    while (track.segments.length < index) track.segments.push(undefined)
    track.segments[index] = { objectKey, bytes }
    track.made += 1
    track.bytes += bytes
  }
  while (track.segments[track.contiguous]) track.contiguous += 1
  return existing ? readiness : new Map(readiness).set(data.track, track)
}
