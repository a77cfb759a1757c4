import type { Row, Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, Fault, type Limits } from '../../kernel/index.ts'
import { TASKS_CHANNEL } from './schema.ts'
import { type Task, toTask } from './task.ts'

/**
 * Who works on what. A claim raises the task's fence; whatever is written for a task names the fence, so a worker whose
 * lease ran out (paused, cut off, thought dead) can no longer change anything. Wall clocks only decide when to try.
 */
export type Leases = {
  /** Up to `max` tasks of at least `priorityMin`: highest first, then titles with the fewest tasks running, then oldest. */
  claim(max: number, held: readonly Task[], priorityMin?: number): Promise<readonly Task[]>
  /** Those of `held` that are no longer ours. */
  renew(held: readonly Task[]): Promise<readonly Task[]>
  /** Back to the queue at once; no attempt is counted. */
  release(held: readonly Task[]): Promise<void>
  /** Back to the queue after a delay, an attempt counted. */
  retryLater(task: Task, delayMs: number, countAttempt: boolean): Promise<void>
  /** A cancelled task has been stopped and its outputs removed. */
  stopped(task: Task): Promise<void>
}

export function createLeases(options: {
  tables: TablesPort
  /** Unique among live workers. A worker that comes back under its name takes its old tasks over without waiting. */
  owner: string
  limits: Limits
  clock: Clock
}): Leases {
  const { tables, owner, limits, clock } = options

  return {
    async claim(max, held, priorityMin = 0) {
      const now = clock.nowMs()
      const result = await tables.batch([
        claimStatement({ owner, now, leaseMs: limits.taskLeaseMs, max, held, priorityMin }),
      ])
      return rowsOf(result).map(toTask)
    },
    async renew(held) {
      if (held.length === 0) return []
      const until = clock.nowMs() + limits.taskLeaseMs
      const result = await tables.batch(
        held.map((task) => ({
          sql: `UPDATE media_tasks SET lease_until_ms = ? ${STILL_OURS}`,
          parameters: [until, task.id, task.fence],
        })),
      )
      if (!result.ok) throw new Fault(result.code, result.message)
      return held.filter((_, index) => result.results[index]?.changes !== 1)
    },
    async release(held) {
      if (held.length === 0) return
      await tables.batch(
        held.map((task) => ({
          sql: `UPDATE media_tasks SET state = 'pending', lease_until_ms = 0 ${STILL_OURS}`,
          parameters: [task.id, task.fence],
        })),
        { notify: [TASKS_CHANNEL] },
      )
    },
    async retryLater(task, delayMs, countAttempt) {
      await tables.batch([
        {
          sql: `UPDATE media_tasks SET state = 'pending', lease_until_ms = 0, run_after_ms = ?, attempts = attempts + ?
            ${STILL_OURS}`,
          parameters: [clock.nowMs() + delayMs, countAttempt ? 1 : 0, task.id, task.fence],
        },
      ])
    },
    async stopped(task) {
      await tables.batch([
        {
          sql: "UPDATE media_tasks SET lease_until_ms = 0 WHERE id = ? AND fence = ? AND state = 'cancelled'",
          parameters: [task.id, task.fence],
        },
      ])
    },
  }
}

/** Ends every statement that writes for a task. */
export const STILL_OURS = "WHERE id = ? AND fence = ? AND state = 'running'"

function claimStatement(options: {
  owner: string
  now: number
  leaseMs: number
  max: number
  held: readonly Task[]
  priorityMin: number
}): Statement {
  const { owner, now, leaseMs, max, held, priorityMin } = options
  // A running task under our own name that we do not hold is one that died with the process before this one.
  const ids = held.map((task) => task.id)
  const notHeld = ids.length === 0 ? '' : `AND t.id NOT IN (${ids.map(() => '?').join(', ')})`
  return {
    sql: `UPDATE media_tasks SET
        attempts = attempts + CASE WHEN state = 'running' THEN 1 ELSE 0 END,
        state = 'running', fence = fence + 1, lease_owner = ?, lease_until_ms = ?
      WHERE id IN (
        SELECT t.id FROM media_tasks t
        WHERE t.priority >= ? AND ((t.state = 'pending' AND t.run_after_ms <= ?)
          OR (t.state = 'running' AND (t.lease_until_ms <= ? OR (t.lease_owner = ? ${notHeld}))))
        ORDER BY t.priority DESC,
          (SELECT COUNT(*) FROM media_tasks o WHERE o.title_id = t.title_id AND o.state = 'running'),
          t.created_at_ms, t.ordinal, t.id
        LIMIT ?
      )
      RETURNING *`,
    parameters: [owner, now + leaseMs, priorityMin, now, now, owner, ...ids, max],
  }
}

function rowsOf(result: Awaited<ReturnType<TablesPort['batch']>>): readonly Row[] {
  if (!result.ok) throw new Fault(result.code, result.message)
  return result.results[0]?.rows ?? []
}
