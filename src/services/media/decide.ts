import { audioSegmentCount, type EventData, type EventType, type Plan } from '../../contracts/index.ts'
import type { Recipe } from './plan.ts'
import { type Percentages, toProgress } from './progress.ts'
import { chunkCount, chunkOf } from './recipes.ts'
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
  readonly tracks: readonly TrackOutput[]
  readonly tasks: readonly TaskDraft[]
  readonly cancelRest: boolean
  readonly events: readonly EventDraft[]
}

/** Chunks whose lowest rung is made alone and first: a viewer who presses play at once must not overtake the encoder. */
const LEAD_CHUNKS = 2

/** Pure. The title is `working`; a report on one that is not is dropped by the caller, except a cleanup's. */
export function decide(title: TitleSnapshot, task: Task, outcome: Outcome): Decision {
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
      return withProgress(title, task, decideSegments(title, task, outcome, unchanged))
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
    ...(plan.audio ? [single('audio', audioSegmentCount(plan.audio), PRIORITY.audio)] : []),
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

function decideSegments(
  title: TitleSnapshot,
  task: Task,
  outcome: Extract<Outcome, { kind: 'segments' }>,
  unchanged: Decision,
): Decision {
  const { titleId, plan } = title
  if (!plan) throw new Error(`decide: ${task.id} reports segments of a title without a plan`)
  const made = outcome.tracks.reduce((sum, track) => sum + track.segments.length, 0)
  const unitsDone = outcome.final ? task.units : task.kind === 'audio' ? task.unitsDone + made : task.unitsDone
  const lowest = plan.renditions[0]?.id
  const videoStarted =
    title.videoStarted ||
    (task.kind === 'video' && task.ordinal === 0 && outcome.tracks.some((track) => track.track === lowest))
  const audioStarted =
    title.audioStarted || (task.kind === 'audio' && (outcome.final || unitsDone >= audioSegmentsAhead(plan)))
  const playable = title.playable || (videoStarted && (audioStarted || plan.audio === null))
  const events: EventDraft[] = outcome.tracks.map(({ track, init, segments }) => ({
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
    tracks: outcome.tracks,
    videoStarted,
    audioStarted,
    playable,
    events,
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

/** What a viewer's wish changes about the one pending task that makes the wanted segment. */
export type WantedDecision =
  | { readonly kind: 'none' }
  | { readonly kind: 'raise'; readonly priority: number }
  /** The wanted rendition alone and first; the others later, from a second decode. */
  | { readonly kind: 'split'; readonly wanted: TaskDraft; readonly rest: readonly string[] }

/** Pure. */
export function decideWanted(titleId: string, task: TaskDraft, track: string): WantedDecision {
  const renditions = task.input.renditions ?? []
  if (renditions.length > 1) {
    const rest = renditions.filter((rendition) => rendition !== track)
    return { kind: 'split', wanted: toVideoTask(titleId, task.ordinal, [track], PRIORITY.wanted), rest }
  }
  return task.priority >= PRIORITY.wanted ? { kind: 'none' } : { kind: 'raise', priority: PRIORITY.wanted }
}
