import type { ReplayView } from '../../contracts/index.ts'
import type { Row, Statement } from '../../engines/tables/index.ts'
import type { ReplayPosition } from './progress.ts'

/** Told when a replay is made or cancelled. */
export const REPLAYS_CHANNEL = 'hub-replays'

export type ReplayJob = ReplayView & {
  /** As it was asked for; null: all that the subscription's own pattern takes. */
  readonly pattern: unknown
  readonly position: ReplayPosition
  /** Records of its range that could not be read, so far. */
  readonly lost: number
}

const COLUMNS = `id, subscription, from_ms, to_ms, pattern, events_per_second, state, detail, position, read_count,
  delivered_count, lost_count, created_at_ms`

export const listStatement = (max: number): Statement => ({
  sql: `SELECT ${COLUMNS} FROM hub_replays ORDER BY created_at_ms DESC, id LIMIT ?`,
  parameters: [max],
})
export const getStatement = (id: string): Statement => ({
  sql: `SELECT ${COLUMNS} FROM hub_replays WHERE id = ?`,
  parameters: [id],
})
export const runningStatement = (max: number): Statement => ({
  sql: `SELECT ${COLUMNS} FROM hub_replays WHERE state = 'running' ORDER BY created_at_ms, id LIMIT ?`,
  parameters: [max],
})

/** Changes no row when as many as `runningMax` run already. */
export const insertStatement = (job: ReplayJob, runningMax: number): Statement => ({
  sql: `INSERT INTO hub_replays (${COLUMNS})
    SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS DOUBLE PRECISION),
      'running', NULL, '{}', 0, 0, 0, CAST(? AS BIGINT)
    WHERE (SELECT COUNT(*) FROM hub_replays WHERE state = 'running') < ?`,
  parameters: [
    ...[job.id, job.subscription, job.fromMs, job.toMs, job.pattern === null ? null : JSON.stringify(job.pattern)],
    ...[job.eventsPerSecond, job.createdAtMs, runningMax],
  ],
  expectRows: 1,
})

/** The oldest that are over go, so that a new one fits. */
export const pruneStatement = (keptMax: number): Statement => ({
  sql: `DELETE FROM hub_replays WHERE state <> 'running' AND id NOT IN (
    SELECT id FROM hub_replays ORDER BY created_at_ms DESC, id LIMIT ?)`,
  parameters: [Math.max(0, keptMax - 1)],
})

/** Fails the batch when the replay does not run any more. */
export const endStatement = (id: string, state: 'done' | 'cancelled' | 'failed', detail: string | null): Statement => ({
  sql: "UPDATE hub_replays SET state = ?, detail = ? WHERE id = ? AND state = 'running'",
  parameters: [state, detail, id],
  expectRows: 1,
})

export const saveStatement = (
  id: string,
  saved: { position: ReplayPosition; read: number; delivered: number; lost: number; detail: string | null },
): Statement => ({
  sql: `UPDATE hub_replays SET position = ?, read_count = ?, delivered_count = ?, lost_count = ?, detail = ?
    WHERE id = ? AND state = 'running'`,
  parameters: [JSON.stringify(saved.position), saved.read, saved.delivered, saved.lost, saved.detail, id],
  expectRows: 1,
})

/** From a row that `insertStatement` wrote. */
export function toJob(row: Row): ReplayJob {
  const text = (name: string): string | null => (row[name] === null ? null : String(row[name]))
  return {
    id: String(row['id']),
    subscription: String(row['subscription']),
    fromMs: Number(row['from_ms']),
    toMs: Number(row['to_ms']),
    pattern: JSON.parse(text('pattern') ?? 'null'),
    eventsPerSecond: Number(row['events_per_second']),
    state: String(row['state']) as ReplayView['state'],
    detail: text('detail'),
    position: JSON.parse(text('position') ?? '{}') as ReplayPosition,
    read: Number(row['read_count']),
    delivered: Number(row['delivered_count']),
    lost: Number(row['lost_count']),
    createdAtMs: Number(row['created_at_ms']),
  }
}

export function toView({ pattern: _, position: __, lost: ___, ...view }: ReplayJob): ReplayView {
  return view
}
