import {
  AUDIO_TRACK_ID,
  audioSegmentCount,
  type EventData,
  type EventType,
  type Plan,
  videoSegmentCount,
} from '../../contracts/index.ts'
import type { Recipe } from './plan.ts'
import { type Percentages, toProgress } from './progress.ts'
import { chunkCount, chunkOf } from './recipes.ts'
import { audioChunks } from './recipes-audio.ts'
import { type Asset, PRIORITY, type Task, type TaskDraft, type TaskKind } from './task.ts'
import type { SegmentRecord } from './verify.ts'

/** What is known of a title when a task of it reports. */
export type TitleSnapshot = {
  readonly titleId: string
  readonly state: 'working' | 'published' | 'failed' | 'withdrawn'
  readonly version: number
  readonly asset: Asset
  readonly plan: Plan | null
  readonly recipe: Recipe | null
  readonly videoStarted: boolean
  readonly audioStarted: boolean
  readonly playable: boolean
  /** Per kind, the units made and planned, and how many tasks are not done; cancelled ones left out. */
  readonly stages: Percentages
}

/** Segments of one track that now exist, with the track's one initialisation segment. */
export type TrackOutput = {
  readonly track: string
  readonly init: { readonly objectKey: string; readonly codec: string }
  readonly segments: readonly SegmentRecord[]
}

export type Outcome =
  | { readonly kind: 'planned'; readonly plan: Plan; readonly recipe: Recipe }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** `final: false` when the task goes on. */
  | { readonly kind: 'segments'; readonly final: boolean; readonly tracks: readonly TrackOutput[] }
  | { readonly kind: 'captions'; readonly track: string; readonly objectKey: string }
  | { readonly kind: 'poster'; readonly objectKey: string }
  | { readonly kind: 'verified' }
  | { readonly kind: 'cleaned' }

/** A task that found all it was to make made already. */
export const NOTHING_MADE: Extract<Outcome, { kind: 'segments' }> = { kind: 'segments', final: true, tracks: [] }

/** The objects of segments recorded already, by `track/index`. */
export type Recorded = ReadonlyMap<string, string>

export type EventDraft = { [T in EventType]: { readonly type: T; readonly data: EventData<T> } }[EventType]

/** What becomes of an outcome: changes of the title and the task, tasks to add, events to say; all in one batch. */
export type Decision = {
  readonly state: TitleSnapshot['state']
  readonly videoStarted: boolean
  readonly audioStarted: boolean
  readonly playable: boolean
  readonly plan: Plan | null
  readonly recipe: Recipe | null
  readonly done: boolean
  readonly unitsDone: number
  readonly output: string | null
  /** What is new. A segment that exists is not made again to any effect: viewers may hold it already. */
  readonly tracks: readonly TrackOutput[]
  /** Objects of segments that another task was earlier with; nobody's. */
  readonly superseded: readonly string[]
  readonly tasks: readonly TaskDraft[]
  readonly cancelRest: boolean
  readonly events: readonly EventDraft[]
}

/** Chunks whose lowest rung is made alone and first: a viewer who presses play at once must not overtake the encoder. */
const LEAD_CHUNKS = 2

/** Pure. The title is `working`; a report on one that is not is dropped by the caller, except a cleanup's. */
export function decide(title: TitleSnapshot, task: Task, outcome: Outcome, recorded: Recorded = new Map()): Decision {
  const unchanged: Decision = {
    state: title.state,
    videoStarted: title.videoStarted,
    audioStarted: title.audioStarted,
    playable: title.playable,
    plan: title.plan,
    recipe: title.recipe,
    done: true,
    unitsDone: task.units,
    output: null,
    tracks: [],
    superseded: [],
    tasks: [],
    cancelRest: false,
    events: [],
  }
  switch (outcome.kind) {
    case 'planned':
      return withProgress(title, task, decidePlanned(title, outcome, unchanged))
    case 'refused':
      return decideRefused(title, outcome, unchanged)
    case 'segments':
      return withProgress(title, task, decideSegments({ title, task, outcome, recorded, unchanged }))
    case 'captions': {
      const { track, objectKey } = outcome
      const data = { titleId: title.titleId, track, objectKey }
      const events: EventDraft[] = [{ type: 'tentpole.title.captions.v1', data }]
      return withProgress(title, task, { ...unchanged, output: objectKey, events })
    }
    case 'poster': {
      const data = { titleId: title.titleId, objectKey: outcome.objectKey }
      const events: EventDraft[] = [{ type: 'tentpole.title.poster.v1', data }]
      return withProgress(title, task, { ...unchanged, output: outcome.objectKey, events })
    }
    case 'verified': {
      const decided = withProgress(title, task, { ...unchanged, state: 'published', playable: true })
      const said: EventDraft[] = title.playable ? [] : [playableEvent(title)]
      const published: EventDraft = { type: 'tentpole.title.published.v1', data: { titleId: title.titleId } }
      return { ...decided, events: [...said, ...decided.events, published] }
    }
    case 'cleaned':
      return unchanged
  }
}

function decidePlanned(
  title: TitleSnapshot,
  outcome: Extract<Outcome, { kind: 'planned' }>,
  unchanged: Decision,
): Decision {
  const { plan, recipe } = outcome
  const { titleId, asset } = title
  return {
    ...unchanged,
    plan,
    recipe,
    tasks: toTasks(titleId, plan),
    events: [{ type: 'tentpole.title.planned.v1', data: { titleId, metadata: asset.metadata, plan } }],
  }
}

/** The task graph of a plan. */
export function toTasks(titleId: string, plan: Plan): readonly TaskDraft[] {
  const renditions = plan.renditions.map((rendition) => rendition.id)
  const [lowest = '', ...rest] = renditions
  const video = Array.from({ length: chunkCount(plan) }, (_, chunk) =>
    chunk < LEAD_CHUNKS
      ? [
          toVideoTask(titleId, chunk, [lowest], chunk === 0 ? PRIORITY.firstChunk : PRIORITY.leadChunk),
          ...(rest.length > 0 ? [toVideoTask(titleId, chunk, rest, PRIORITY.video)] : []),
        ]
      : [toVideoTask(titleId, chunk, renditions, PRIORITY.video)],
  ).flat()
  const single = (kind: TaskKind, units: number, priority: number): TaskDraft => ({
    id: `${titleId}/${kind}`,
    kind,
    ordinal: 0,
    priority,
    units,
    input: {},
  })
  return [
    ...video,
    ...audioChunks(plan).map((span, chunk) => ({
      ...single('audio', span.segments, chunk === 0 ? PRIORITY.firstAudio : PRIORITY.audio),
      id: `${titleId}/audio/${chunk}`,
      ordinal: chunk,
      input: { span },
    })),
    ...plan.captions.map(({ id }) => ({
      ...single('captions', 1, PRIORITY.captions),
      id: `${titleId}/captions/${id}`,
      input: { track: id },
    })),
    single('poster', 1, PRIORITY.poster),
  ]
}

function toVideoTask(titleId: string, chunk: number, renditions: readonly string[], priority: number): TaskDraft {
  const id = `${titleId}/video/${chunk}/${renditions.length === 1 ? renditions[0] : 'rungs'}`
  return { id, kind: 'video', ordinal: chunk, priority, units: renditions.length, input: { renditions } }
}

function decideRefused(
  title: TitleSnapshot,
  outcome: Extract<Outcome, { kind: 'refused' }>,
  unchanged: Decision,
): Decision {
  const { titleId } = title
  const { code, reason } = outcome
  return {
    ...unchanged,
    state: 'failed',
    cancelRest: true,
    tasks: [{ id: `${titleId}/cleanup`, kind: 'cleanup', ordinal: 0, priority: PRIORITY.cleanup, units: 1, input: {} }],
    events: [{ type: 'tentpole.title.failed.v1', data: { titleId, code, reason } }],
  }
}

function decideSegments(options: {
  title: TitleSnapshot
  task: Task
  outcome: Extract<Outcome, { kind: 'segments' }>
  recorded: Recorded
  unchanged: Decision
}): Decision {
  const { title, task, outcome, recorded, unchanged } = options
  const { titleId, plan } = title
  if (!plan) throw new Error(`decide: ${task.id} reports segments of a title without a plan`)
  const made = outcome.tracks.reduce((sum, track) => sum + track.segments.length, 0)
  const unitsDone = outcome.final ? task.units : task.kind === 'video' ? task.unitsDone : task.unitsDone + made
  const lowest = plan.renditions[0]?.id
  const videoStarted =
    title.videoStarted ||
    (task.kind === 'video' && task.ordinal === 0 && outcome.tracks.some((track) => track.track === lowest))
  const audioStarted =
    title.audioStarted ||
    (task.kind === 'audio' && task.ordinal === 0 && (outcome.final || unitsDone >= audioSegmentsAhead(plan)))
  const playable = title.playable || (videoStarted && (audioStarted || plan.audio === null))
  const { tracks, superseded } = toNew(outcome.tracks, recorded)
  const events: EventDraft[] = tracks.map(({ track, init, segments }) => ({
    type: 'tentpole.title.segments.v1',
    data: {
      titleId,
      track,
      init,
      segments: segments.map(({ index, objectKey, bytes }) => ({ index, objectKey, bytes })),
    },
  }))
  if (playable && !title.playable) events.push(playableEvent(title))
  return {
    ...unchanged,
    done: outcome.final,
    unitsDone,
    tracks,
    superseded,
    videoStarted,
    audioStarted,
    playable,
    events,
  }
}

/** What is not recorded yet, and the objects that came too late. Our own object recorded is a commit whose answer was lost. */
function toNew(tracks: readonly TrackOutput[], recorded: Recorded): Pick<Decision, 'tracks' | 'superseded'> {
  const known = ({ track }: TrackOutput, { index }: SegmentRecord): string | undefined =>
    recorded.get(`${track}/${index}`)
  return {
    tracks: tracks
      .map((output) => ({ ...output, segments: output.segments.filter((segment) => !known(output, segment)) }))
      .filter(({ segments }) => segments.length > 0),
    superseded: tracks.flatMap((output) =>
      output.segments.flatMap((segment) => {
        const objectKey = known(output, segment)
        return objectKey !== undefined && objectKey !== segment.objectKey ? [segment.objectKey] : []
      }),
    ),
  }
}

/** How many audio segments reach the end of the first chunk of pictures. */
export function audioSegmentsAhead(plan: Plan): number {
  if (!plan.audio) return 0
  const seconds = (chunkOf(plan, 0).frames * plan.video.frameTicks) / plan.video.timescale
  const { framesPerSegment, samplesPerFrame, sampleRate } = plan.audio
  const needed = Math.ceil((seconds * sampleRate) / (framesPerSegment * samplesPerFrame))
  return Math.min(needed, audioSegmentCount(plan.audio))
}

function playableEvent(title: TitleSnapshot): EventDraft {
  return { type: 'tentpole.title.playable.v1', data: { titleId: title.titleId } }
}

/** Adds the progress event, and the last task once every other one is done. */
function withProgress(title: TitleSnapshot, task: Task, decision: Decision): Decision {
  const stages = new Map(title.stages)
  const own = stages.get(task.kind)
  if (own) {
    const done = own.done - task.unitsDone + decision.unitsDone
    stages.set(task.kind, { ...own, done, open: own.open - (decision.done ? 1 : 0) })
  }
  for (const added of decision.tasks) {
    const before = stages.get(added.kind) ?? { done: 0, total: 0, open: 0 }
    stages.set(added.kind, { ...before, total: before.total + added.units, open: before.open + 1 })
  }
  const allDone = decision.plan !== null && [...stages.values()].every((stage) => stage.open === 0)
  const verify: TaskDraft[] = allDone && task.kind !== 'verify' ? [toVerifyTask(title.titleId)] : []
  const progress: EventDraft = {
    type: 'tentpole.title.progress.v1',
    data: { titleId: title.titleId, ...toProgress(stages, decision.state === 'published') },
  }
  return { ...decision, tasks: [...decision.tasks, ...verify], events: [...decision.events, progress] }
}

function toVerifyTask(titleId: string): TaskDraft {
  return { id: `${titleId}/verify`, kind: 'verify', ordinal: 0, priority: PRIORITY.verify, units: 1, input: {} }
}

/**
 * How far beyond the wanted segment is made with it, in seconds of film some twelve: enough to play on from while the
 * next ones are asked for, short enough that the next viewer's turn comes soon.
 */
export const WANTED_SEGMENTS = 6

/** What is known of the segments around a wanted one. */
export type Around = {
  /** Segments of the track that exist. */
  readonly recorded: ReadonlySet<number>
  /** What urgent tasks make of the track, or are about to. */
  readonly underWay: readonly { readonly firstSegment: number; readonly segments: number }[]
}

/**
 * Pure: the task that makes a wanted segment now, whatever is planned or already running for its chunk: those tasks make
 * every rung, and take too long to wait for. Null when it exists or is under way, or when there is no such segment.
 */
export function decideWanted(
  title: { readonly titleId: string; readonly plan: Plan },
  wanted: { readonly track: string; readonly index: number },
  around: Around,
): TaskDraft | null {
  const { titleId, plan } = title
  const { track, index } = wanted
  const total = segmentCountOf(plan, track)
  const isOpen = (segment: number): boolean =>
    segment < total &&
    !around.recorded.has(segment) &&
    !around.underWay.some((span) => segment >= span.firstSegment && segment < span.firstSegment + span.segments)
  let segments = 0
  while (segments < WANTED_SEGMENTS && isOpen(index + segments)) segments += 1
  if (segments === 0) return null
  return {
    id: `${titleId}/wanted/${track}/${index}`,
    kind: 'wanted',
    ordinal: index,
    priority: PRIORITY.wanted,
    units: segments,
    input: { track, span: { firstSegment: index, segments } },
  }
}

/** Pure: the segments of a track that a task makes. */
export function spansOf(plan: Plan, task: TaskDraft, track: string): Around['underWay'] {
  if (task.kind === 'video') return task.input.renditions?.includes(track) ? [chunkOf(plan, task.ordinal)] : []
  const makes = task.kind === 'audio' ? AUDIO_TRACK_ID : task.kind === 'wanted' ? task.input.track : null
  return makes === track && task.input.span ? [task.input.span] : []
}

/** The tasks a viewer who wants this segment will come to next: of that kind, and which of its chunks. */
export function decideSoonWanted(
  plan: Plan,
  wanted: { readonly track: string; readonly index: number },
): { readonly kind: TaskKind; readonly firstChunk: number; readonly lastChunk: number } {
  const { track, index } = wanted
  if (track !== AUDIO_TRACK_ID) {
    const chunk = Math.floor(index / plan.video.segmentsPerChunk)
    return { kind: 'video', firstChunk: chunk, lastChunk: chunk + SOON_WANTED_CHUNKS }
  }
  const chunk = audioChunks(plan).findIndex((span) => index < span.firstSegment + span.segments)
  return { kind: 'audio', firstChunk: chunk, lastChunk: chunk + 1 }
}

/** Chunks of pictures behind a wanted one that its viewer will want next. */
const SOON_WANTED_CHUNKS = 3

function segmentCountOf(plan: Plan, track: string): number {
  if (track === AUDIO_TRACK_ID) return plan.audio ? audioSegmentCount(plan.audio) : 0
  return plan.renditions.some(({ id }) => id === track) ? videoSegmentCount(plan.video) : 0
}
