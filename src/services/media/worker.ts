import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import {
  type Clock,
  createShortId,
  describeError,
  Fault,
  faultCode,
  type Limits,
  type Logger,
  systemClock,
} from '../../kernel/index.ts'
import { NOTHING_MADE, type Outcome } from './decide.ts'
import { createFfmpeg, type Ffmpeg } from './ffmpeg.ts'
import { createLeases } from './leases.ts'
import { patiently } from './patience.ts'
import { CANCEL_CHANNEL, TASKS_CHANNEL } from './schema.ts'
import { createSources } from './sources.ts'
import { PRIORITY, type Task, type TaskKind, URGENT_PRIORITY } from './task.ts'
import { createTitles } from './titles.ts'
import type { Work, WorkContext } from './work.ts'
import { workAudio } from './work-audio.ts'
import { workCaptions } from './work-captions.ts'
import { workPoster } from './work-poster.ts'
import { workProbe } from './work-probe.ts'
import { workCleanup, workVerify } from './work-verify.ts'
import { workVideo } from './work-video.ts'
import { workWanted } from './work-wanted.ts'

export type MediaWorker = {
  /** Tasks under way. */
  running(): number
  /** When the tables last answered, ms ago. */
  silentForMs(): number
  /** Stops what is under way, gives its leases back so that another worker goes on at once, and forgets its scratch. */
  close(): Promise<void>
}

const POLL_MS = 1_000
const FILMS_MAX = 4
/** Slots beyond `concurrency` for what makes a title playable, while batch encodes take the others. */
const URGENT_SLOTS = 2
/** Slots of their own for probes and for what a viewer waits for: the picture and the sound of one seek. */
const WANTED_SLOTS = 2
const RETRY_MIN_MS = 500
const RETRY_MAX_MS = 30_000

const WORK: Readonly<Record<TaskKind, Work>> = {
  probe: workProbe,
  video: workVideo,
  audio: workAudio,
  wanted: workWanted,
  captions: workCaptions,
  poster: workPoster,
  verify: workVerify,
  cleanup: workCleanup,
}

type Held = { readonly task: Task; readonly stop: AbortController }

/**
 * Takes tasks by lease and does them, `concurrency` at a time; what is urgent does not wait for what is not. Two by
 * default even on one core, so that the first sound never holds up the first pictures.
 */
export async function createMediaWorker(options: {
  tables: TablesPort
  objects: ObjectsPort
  /** This worker's own part of it is emptied first. */
  scratchDirectory: string
  limits: Limits
  logger: Logger
  /** Unique among live workers; see `createLeases`. */
  owner: string
  concurrency?: number
  clock?: Clock
  ffmpeg?: Ffmpeg
}): Promise<MediaWorker> {
  const { tables, objects, limits, logger, owner, clock = systemClock } = options
  const concurrency = options.concurrency ?? Math.max(2, availableParallelism())
  const scratch = join(options.scratchDirectory, owner)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const ffmpeg = options.ffmpeg ?? (await createFfmpeg({ limits, logger }))
  const leases = createLeases({ tables, owner, limits, clock })
  const titles = createTitles({ tables, source: owner, clock })
  const sources = createSources({ objects, directory: join(scratch, 'films'), filmsMax: FILMS_MAX })
  const held = new Map<string, Held>()
  let closed = false
  let lastGoodMs = clock.elapsedMs()
  let wake: () => void = () => {}

  const patience = { waitMs: limits.taskLeaseMs * 6, isClosed: () => closed }

  const attempt = async ({ task, stop }: Held): Promise<void> => {
    const made = new Set<string>()
    const id = createShortId()
    const directory = join(scratch, 'tasks', id)
    try {
      const title = await patiently(() => titles.load(task.titleId), patience)
      if (!title) throw new Error(`${task.id}: there is no such title`)
      // A failure of its own ends at `taskAttemptsMax`: what comes here more often was begun, and its worker died.
      if (task.attempts >= limits.taskLossesMax && task.kind !== 'cleanup')
        return await giveUp(task, 'its worker was lost each time')
      await mkdir(directory, { recursive: true })
      const context: WorkContext = {
        task,
        title,
        ffmpeg,
        objects,
        sources,
        titles,
        limits,
        signal: stop.signal,
        directory,
        attempt: id,
        async put(key, bytes) {
          made.add(key)
          const stored = await objects.put(key, bytes)
          if (!stored.created) throw new Fault('output-conflict', `${task.id}: ${key} exists already`)
          return stored.sizeBytes
        },
        async report(outcome) {
          const done = await patiently(() => titles.commit(current(), outcome), patience)
          if (done.kind === 'lost') throw new Fault('cancelled', `${task.id}: its lease is another's`)
          await removeSuperseded(made, done.superseded)
          const segments = outcome.tracks.reduce((sum, track) => sum + track.segments.length, 0)
          held.set(task.id, { task: { ...current(), unitsDone: current().unitsDone + segments }, stop })
        },
      }
      const current = (): Task => held.get(task.id)?.task ?? task
      const outcome = await WORK[task.kind](context)
      if (outcome.kind === 'later') return await leases.retryLater(task, outcome.delayMs, false)
      await finish(current(), outcome, made)
    } catch (error) {
      await fail(task, stop.signal, error)
    } finally {
      await removeOutputs(made)
      await rm(directory, { recursive: true, force: true })
      if (stop.signal.aborted && !closed) await leases.stopped(task).catch(() => {})
    }
  }

  const finish = async (task: Task, outcome: Outcome, made: Set<string>): Promise<void> => {
    const done = await patiently(() => titles.commit(task, outcome), patience)
    logger.debug(`task ${done.kind}`, { task: task.id, fence: task.fence })
    if (done.kind === 'lost') return
    await removeSuperseded(made, done.superseded)
    if (outcome.kind === 'refused') {
      logger.info('a film was refused', { titleId: task.titleId, code: outcome.code, reason: outcome.reason })
    }
    if (outcome.kind === 'verified') logger.info('a title is published', { titleId: task.titleId })
  }

  const fail = async (task: Task, signal: AbortSignal, error: unknown): Promise<void> => {
    if (signal.aborted || faultCode(error) === 'cancelled') return
    const reason = describeError(error)
    logger.warn('a task failed', { task: task.id, attempt: task.attempts + 1, code: faultCode(error), error: reason })
    try {
      if (task.attempts + 1 >= limits.taskAttemptsMax && task.kind !== 'cleanup') return await giveUp(task, reason)
      const delayMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** task.attempts)
      await patiently(() => leases.retryLater(task, delayMs, true), patience)
    } catch (worse) {
      logger.warn('a failed task could not be put back; its lease runs out', {
        task: task.id,
        error: describeError(worse),
      })
    }
  }

  const giveUp = async (task: Task, why: string): Promise<void> => {
    // Whether the film can be made is told by the tasks that make all of it.
    if (task.kind === 'wanted') return await finish(task, NOTHING_MADE, new Set())
    const reason = `The film could not be processed: "${task.kind}" failed ${Math.max(task.attempts, limits.taskAttemptsMax)} times, last because: ${why}. Check the film plays elsewhere, then upload it again.`
    await finish(task, { kind: 'refused', code: `${task.kind}-failed`, reason }, new Set())
  }

  const removeOutputs = async (keys: ReadonlySet<string>): Promise<void> => {
    for (const key of keys) {
      await objects.delete(key).catch((error: unknown) => {
        logger.warn('an output that does not count could not be removed', { key, error: describeError(error) })
      })
    }
  }

  /** Everything made counts, but for what another task was earlier with. */
  const removeSuperseded = async (made: Set<string>, superseded: readonly string[]): Promise<void> => {
    made.clear()
    await removeOutputs(new Set(superseded))
  }

  const start = (task: Task): void => {
    const entry: Held = { task, stop: new AbortController() }
    held.set(task.id, entry)
    const work = attempt(entry)
      .catch((error: unknown) => logger.error('a task ended badly', { task: task.id, error: describeError(error) }))
      .finally(() => {
        held.delete(task.id)
        works.delete(work)
        wake()
      })
    works.add(work)
  }
  const works = new Set<Promise<void>>()

  /** Heartbeat: what is no longer ours is stopped. */
  const renew = async (): Promise<void> => {
    const entries = [...held.values()]
    if (entries.length === 0) return
    const lost = await leases.renew(entries.map(({ task }) => task))
    lastGoodMs = clock.elapsedMs()
    for (const task of lost) held.get(task.id)?.stop.abort()
  }

  const takeTasks = async (): Promise<void> => {
    const isMore = await takeUpTo(concurrency - held.size, 0)
    if (held.size === 0) await sources.sweep()
    if (!isMore) return
    await takeUpTo(WANTED_SLOTS - heldFrom(PRIORITY.wanted), PRIORITY.wanted)
    // As many urgent tasks as there are slots, at most: more would only slow each other down.
    const urgentMax = concurrency - heldFrom(URGENT_PRIORITY)
    await takeUpTo(Math.min(urgentMax, concurrency + URGENT_SLOTS - held.size), URGENT_PRIORITY)
  }

  const heldFrom = (priorityMin: number): number =>
    [...held.values()].filter(({ task }) => task.priority >= priorityMin).length

  /** Takes tasks of that priority and above; false when there are no more of them now. */
  const takeUpTo = async (max: number, priorityMin: number): Promise<boolean> => {
    if (max <= 0) return true
    const tasks = [...held.values()].map(({ task }) => task)
    const claimed = await leases.claim(max, tasks, priorityMin)
    lastGoodMs = clock.elapsedMs()
    for (const task of claimed) start(task)
    return claimed.length === max
  }

  const run = async (): Promise<void> => {
    while (!closed) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      await takeTasks().catch((error: unknown) =>
        logger.warn('the tables cannot be reached; the worker tries again', { error: describeError(error) }),
      )
      if (closed) return
      let timer: ReturnType<typeof setTimeout> | undefined
      const polled = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, POLL_MS)
      })
      await Promise.race([woken, polled])
      clearTimeout(timer)
    }
  }

  const beat = (): void => {
    renew().catch((error: unknown) => logger.warn('a heartbeat was lost', { error: describeError(error) }))
  }
  const heart = setInterval(beat, Math.ceil(limits.taskLeaseMs / 3))
  const stopListening = [tables.listen(TASKS_CHANNEL, () => wake()), tables.listen(CANCEL_CHANNEL, beat)]
  const loop = run()

  return {
    running: () => held.size,
    silentForMs: () => clock.elapsedMs() - lastGoodMs,
    async close() {
      closed = true
      clearInterval(heart)
      for (const stop of stopListening) stop()
      wake()
      await loop
      const unfinished = [...held.values()]
      for (const { stop } of unfinished) stop.abort()
      await Promise.all(works)
      await leases
        .release(unfinished.map(({ task }) => task))
        .catch((error: unknown) =>
          logger.warn('leases were not given back; they run out', { error: describeError(error) }),
        )
      await rm(scratch, { recursive: true, force: true })
    },
  }
}
