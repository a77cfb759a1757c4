import type { ReplayRequest, ReplayView } from '../../contracts/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { type Clock, createShortId, Fault, type Limits, systemClock } from '../../kernel/index.ts'
import { parsePattern } from '../patterns/index.ts'
import {
  endStatement,
  getStatement,
  insertStatement,
  listStatement,
  pruneStatement,
  REPLAYS_CHANNEL,
  type ReplayJob,
  toJob,
  toView,
} from './job.ts'

/** The pattern of a subscription; null when there is none of that name that is enabled. */
export type PatternOf = (subscription: string) => Promise<unknown>

export type Replays = {
  /** Faults: `subscription-unknown`, `pattern-invalid`, `hub-busy` when as many run as may. */
  create(subscription: string, request: ReplayRequest): Promise<ReplayView>
  /** The newest first. */
  list(): Promise<readonly ReplayView[]>
  get(id: string): Promise<ReplayView | null>
  /** What was delivered stays so. The replay as it is then (cancelled, or over already); null when there is none of that id. */
  cancel(id: string): Promise<ReplayView | null>
}

/** Replays as jobs in `tables`; any process may ask for one, the runner does them. */
export function createReplays(options: {
  tables: TablesPort
  patternOf: PatternOf
  limits: Pick<Limits, 'hubReplaysRunningMax' | 'hubReplaysKeptMax'>
  clock?: Clock
}): Replays {
  const { tables, patternOf, limits, clock = systemClock } = options

  const get = async (id: string): Promise<ReplayView | null> => {
    const [row] = await tables.query(getStatement(id))
    return row ? toView(toJob(row)) : null
  }
  return {
    get,
    async create(subscription, { fromMs, toMs, pattern, eventsPerSecond }) {
      if ((await patternOf(subscription)) === null)
        throw new Fault(
          'subscription-unknown',
          `expected the name of a subscription that is enabled, got ${JSON.stringify(subscription)}`,
        )
      const parsed = pattern === undefined ? null : parsePattern(pattern)
      if (parsed?.ok === false)
        throw new Fault('pattern-invalid', `pattern: ${parsed.detail}`, { detail: { reason: parsed.code } })
      const job: ReplayJob = {
        ...{ id: createShortId(), subscription, fromMs, toMs, eventsPerSecond, pattern: pattern ?? null },
        ...{ state: 'running', detail: null, read: 0, delivered: 0, lost: 0, createdAtMs: clock.nowMs(), position: {} },
      }
      const made = await tables.batch(
        [pruneStatement(limits.hubReplaysKeptMax), insertStatement(job, limits.hubReplaysRunningMax)],
        { notify: [REPLAYS_CHANNEL] },
      )
      if (!made.ok)
        throw new Fault(
          'hub-busy',
          `${limits.hubReplaysRunningMax} replays run already, which is as many as may; wait for one to end, or cancel one`,
          { detail: { retryAfterMs: RETRY_AFTER_MS } },
        )
      return toView(job)
    },
    async list() {
      return (await tables.query(listStatement(limits.hubReplaysKeptMax))).map(toJob).map(toView)
    },
    async cancel(id) {
      await tables.batch([endStatement(id, 'cancelled', null)], { notify: [REPLAYS_CHANNEL] })
      return get(id)
    },
  }
}

const RETRY_AFTER_MS = 10_000
