import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan } from '../../contracts/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { Fault, type Limits } from '../../kernel/index.ts'
import type { Outcome, TitleSnapshot } from './decide.ts'
import type { Ffmpeg } from './ffmpeg.ts'
import type { Fragment } from './fragments.ts'
import type { Recipe } from './plan.ts'
import type { Sources } from './sources.ts'
import type { Task } from './task.ts'
import type { Titles } from './titles.ts'
import type { SegmentRecord } from './verify.ts'

/** What a task is done with. A `work` function reads its inputs, makes its outputs, checks them, and says what came of it. */
export type WorkContext = {
  readonly task: Task
  readonly title: TitleSnapshot
  readonly ffmpeg: Ffmpeg
  readonly objects: ObjectsPort
  readonly sources: Sources
  readonly titles: Titles
  readonly limits: Limits
  /** Aborted when the task is no longer ours. */
  readonly signal: AbortSignal
  /** This attempt's own directory; removed afterwards. */
  readonly directory: string
  /** This attempt's own part of every output's key. */
  readonly attempt: string
  /** Stores an output under a key of this attempt; removed again if the attempt does not count. */
  put(key: string, bytes: Uint8Array): Promise<number>
  /** Reports segments while the task goes on. Fault `cancelled` when they do not count any more. */
  report(outcome: Extract<Outcome, { kind: 'segments' }>): Promise<void>
}

export type Work = (context: WorkContext) => Promise<Outcome | { readonly kind: 'later'; readonly delayMs: number }>

/** The plan and recipe of a title that has been probed. */
export function planned(title: TitleSnapshot): { plan: Plan; recipe: Recipe } {
  if (!title.plan || !title.recipe) throw new Error(`${title.titleId}: expected a plan, the probe has made none`)
  return { plan: title.plan, recipe: title.recipe }
}

/** Lends the title's source as a file for as long as `use` takes. */
export async function withSource<T>(context: WorkContext, use: (path: string) => Promise<T>): Promise<T> {
  const source = await context.sources.acquire(context.title.asset.source.objectKey)
  try {
    return await use(source.path)
  } finally {
    source.release()
  }
}

/**
 * Stores the initialisation segment under a name told by its content, so that equal ones of different chunks are one
 * object; never removed with an attempt, since another may count on it.
 */
export async function putInit(context: WorkContext, track: string, init: Uint8Array): Promise<string> {
  const digest = createHash('sha256').update(init).digest('hex').slice(0, 16)
  const key = `titles/${context.title.titleId}/${track}/init-${digest}.mp4`
  await context.objects.put(key, init)
  return key
}

/** Stores fragments as segments, numbered from `first`. */
export async function putSegments(
  context: WorkContext,
  track: string,
  first: number,
  fragments: readonly Fragment[],
): Promise<readonly SegmentRecord[]> {
  const { title, attempt } = context
  return Promise.all(
    fragments.map(async (fragment, at) => {
      const index = first + at
      const objectKey = `titles/${title.titleId}/${track}/${attempt}/${index}.m4s`
      const bytes = await context.put(objectKey, fragment.bytes)
      return { index, objectKey, bytes, start: fragment.decodeTicks, duration: fragment.durationTicks }
    }),
  )
}

/** An output that is not what was asked for; the attempt fails and is made again. */
export function badOutput(what: string, complaint: string): Fault {
  return new Fault('output-invalid', `${what}: what ffmpeg made is not as planned: ${complaint}`)
}

export async function readOutput(context: WorkContext, name: string): Promise<Uint8Array> {
  return readFile(join(context.directory, name))
}
