import type { TablesPort } from '../../engines/tables/index.ts'
import { describeError, faultCode, type Limits, systemClock } from '../../kernel/index.ts'
import { createWaker } from '../waker.ts'
import { endStatement, REPLAYS_CHANNEL, type ReplayJob, runningStatement, saveStatement, toJob } from './job.ts'
import type { PatternOf } from './replays.ts'
import { type Run, type RunPorts, runReplay } from './run-job.ts'

export type ReplayRunner = {
  /** Stops what runs and saves how far it is; it goes on from there with the next runner. */
  close(): Promise<void>
}

export type ReplayRunnerOptions = Omit<RunPorts, 'limits' | 'clock'> & {
  readonly tables: TablesPort
  readonly patternOf: PatternOf
  /** Whether this process runs the bus at present; replays are left to the one that does. */
  readonly holds: () => boolean
  readonly limits: Pick<Limits, 'hubReplaysRunningMax' | 'hubReplayDeliveriesMax' | 'hubReplaySaveMs'>
  readonly clock?: RunPorts['clock']
}

type Running = { readonly job: ReplayJob; readonly run: Run; readonly abort: AbortController; over: boolean }

/**
 * Does the replays that are on record, where the bus runs. Positions are saved now and then, so a replay that was cut off delivers
 * some of its events again, under the same delivery ids (with `~<replay id>` behind them), by which subscribers know them.
 */
export function createReplayRunner(options: ReplayRunnerOptions): ReplayRunner {
  const { tables, patternOf, holds, limits, logger, clock = systemClock } = options
  const waker = createWaker()
  const running = new Map<string, Running>()
  /** Of replays that run. */
  const complaints = new Map<string, string>()
  let closed = false

  const detailOf = (lost: number): string | null => (lost > 0 ? `${lost} records in its range are lost` : null)
  const save = async ({ job, run }: Running): Promise<boolean> => {
    const progress = run.progress()
    return (await tables.batch([saveStatement(job.id, { ...progress, detail: detailOf(progress.lost) })])).ok
  }
  const end = async (one: Running, state: 'done' | 'failed', detail: string | null): Promise<void> => {
    complaints.delete(one.job.id)
    await tables.batch([
      saveStatement(one.job.id, { ...one.run.progress(), detail }),
      endStatement(one.job.id, state, detail),
    ])
  }
  /** The same trouble is told once. */
  const complain = (replay: string, error: string): void => {
    if (complaints.get(replay) === error) return
    complaints.set(replay, error)
    logger.warn('a replay broke off; it goes on shortly', { replay, error })
  }
  const follow = async (one: Running): Promise<void> => {
    try {
      await one.run.ended
      await end(one, 'done', detailOf(one.run.progress().lost))
    } catch (error) {
      if (faultCode(error) === 'pattern-invalid') await end(one, 'failed', describeError(error))
      else if (!one.abort.signal.aborted) {
        complain(one.job.id, describeError(error))
        // What it gave since the last time need not come again.
        await save(one)
      }
    } finally {
      one.abort.abort()
      one.over = true
    }
  }
  const start = async (job: ReplayJob): Promise<void> => {
    const pattern = await patternOf(job.subscription)
    if (pattern === null) {
      await tables.batch([endStatement(job.id, 'failed', `subscription ${job.subscription} is gone or disabled`)])
      return
    }
    const abort = new AbortController()
    const run = runReplay(job, pattern, abort.signal, { ...options, clock })
    const one: Running = { job, run, abort, over: false }
    running.set(job.id, one)
    follow(one).catch((error: unknown) => {
      logger.warn('the end of a replay could not be written; it is tried again', { error: describeError(error) })
    })
  }
  const leave = (): void => {
    for (const { abort } of running.values()) abort.abort()
    running.clear()
  }
  const round = async (): Promise<void> => {
    if (!holds()) return leave()
    for (const [id, one] of running) {
      if (one.over) running.delete(id)
      // Cancelled, or its subscription is gone or disabled: nobody waits for what is under way.
      else if (!(await save(one)) || (await patternOf(one.job.subscription)) === null) {
        one.abort.abort()
        running.delete(id)
      }
    }
    const jobs = (await tables.query(runningStatement(limits.hubReplaysRunningMax))).map(toJob)
    for (const id of complaints.keys()) if (!jobs.some((job) => job.id === id)) complaints.delete(id)
    for (const job of jobs) if (!closed && !running.has(job.id)) await start(job)
  }
  const loop = async (): Promise<void> => {
    while (!closed) {
      try {
        await round()
      } catch (error) {
        logger.warn('replays cannot reach their tables; they try on', { error: describeError(error) })
      }
      if (!closed) await waker.wait(limits.hubReplaySaveMs)
    }
  }
  const stopListening = tables.listen(REPLAYS_CHANNEL, waker.wake)
  const looping = loop()

  return {
    async close() {
      closed = true
      stopListening()
      waker.wake()
      await looping
      const all = [...running.values()]
      const isOurs = holds()
      leave()
      for (const one of isOurs ? all : [])
        await save(one).catch((error: unknown) => {
          logger.debug('how far a replay is could not be saved', { replay: one.job.id, error: describeError(error) })
        })
    },
  }
}
