import type { EventData } from '../../contracts/index.ts'
import type { Row } from '../../engines/tables/index.ts'
import type { Span } from './recipes.ts'

export const TASK_KINDS = ['probe', 'video', 'audio', 'wanted', 'captions', 'poster', 'verify', 'cleanup'] as const
export type TaskKind = (typeof TASK_KINDS)[number]
/** What `media.progress` names. A cleanup is no part of making a film; what is wanted is part of the others' work, made earlier. */
export const STAGES: readonly Exclude<TaskKind, 'cleanup' | 'wanted'>[] = [
  'probe',
  'video',
  'audio',
  'captions',
  'poster',
  'verify',
]

export type Asset = EventData<'tentpole.asset.uploaded.v1'>

/** Highest first. What viewers wait for, and what makes a title playable, comes before all else. */
export const PRIORITY = {
  probe: 100,
  wanted: 95,
  firstChunk: 92,
  firstAudio: 91,
  leadChunk: 90,
  soonWanted: 70,
  captions: 60,
  poster: 60,
  video: 50,
  audio: 50,
  verify: 50,
  cleanup: 10,
} as const

/** At this priority and above: short, and what a viewer waits for or a title becomes playable by. */
export const URGENT_PRIORITY: number = PRIORITY.leadChunk

export function isUrgent(task: { readonly priority: number }): boolean {
  return task.priority >= URGENT_PRIORITY
}

/** A task to be made. Its id is told by what it makes, so making it twice makes one. */
export type TaskDraft = {
  readonly id: string
  readonly kind: TaskKind
  /** The chunk, for pictures and sound; the first segment of what is wanted; else 0. */
  readonly ordinal: number
  readonly priority: number
  readonly units: number
  readonly input: TaskInput
}

export type TaskInput = {
  /** Video: the renditions this task makes of its chunk. */
  readonly renditions?: readonly string[]
  /** Captions and what is wanted: which track. */
  readonly track?: string
  /** Sound and what is wanted: which segments. */
  readonly span?: { readonly firstSegment: number; readonly segments: number }
}

/** The segments a task makes. */
export function toSpan(task: TaskDraft): Pick<Span, 'firstSegment' | 'segments'> {
  if (!task.input.span) throw new Error(`${task.id}: expected a span of segments`)
  return task.input.span
}

/** A task this worker holds the lease of. */
export type Task = TaskDraft & {
  readonly titleId: string
  readonly attempts: number
  readonly fence: number
  readonly unitsDone: number
}

export function toTask(row: Row): Task {
  return {
    id: String(row['id']),
    titleId: String(row['title_id']),
    kind: String(row['kind']) as TaskKind, // only this room writes the column
    ordinal: Number(row['ordinal']),
    priority: Number(row['priority']),
    units: Number(row['units']),
    unitsDone: Number(row['units_done']),
    input: JSON.parse(String(row['input'])) as TaskInput, // likewise
    attempts: Number(row['attempts']),
    fence: Number(row['fence']),
  }
}
