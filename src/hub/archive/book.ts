import type { Statement, TablesPort } from '../../engines/tables/index.ts'

/** One partition of a topic. */
export type Partition = { readonly topic: string; readonly partition: number }

/** How far a partition is archived, and how far the object goes that is being made. */
export type ArchivePosition = { readonly next: number; readonly plannedEnd: number | null }

export type ArchiveGap = Partition & {
  readonly from: number
  readonly to: number
  readonly reason: string
  readonly noticedAtMs: number
}

const of = ({ topic, partition }: Partition): [string, number] => [topic, partition]

export async function readPosition(tables: TablesPort, at: Partition): Promise<ArchivePosition | null> {
  const [row] = await tables.query({
    sql: 'SELECT next_offset, planned_end FROM hub_archive WHERE topic = ? AND partition_id = ?',
    parameters: of(at),
  })
  if (!row) return null
  const planned = row['planned_end'] ?? null
  return { next: Number(row['next_offset']), plannedEnd: planned === null ? null : Number(planned) }
}

export const beginStatement = (at: Partition): Statement => ({
  sql: 'INSERT INTO hub_archive (topic, partition_id, next_offset) VALUES (?, ?, 0) ON CONFLICT DO NOTHING',
  parameters: of(at),
})

/** Fails the batch when the position is another by now. */
export const planStatement = (at: Partition, next: number, plannedEnd: number | null): Statement => ({
  sql: 'UPDATE hub_archive SET planned_end = ? WHERE topic = ? AND partition_id = ? AND next_offset = ?',
  parameters: [plannedEnd, ...of(at), next],
  expectRows: 1,
})

export const advanceStatement = (at: Partition, from: number, to: number): Statement => ({
  sql: 'UPDATE hub_archive SET next_offset = ?, planned_end = NULL WHERE topic = ? AND partition_id = ? AND next_offset = ?',
  parameters: [to, ...of(at), from],
  expectRows: 1,
})

export const objectStatement = (at: Partition, object: { first: number; end: number; bytes: number }): Statement => ({
  sql: `INSERT INTO hub_archive_objects (topic, partition_id, first_offset, end_offset, bytes)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  parameters: [...of(at), object.first, object.end, object.bytes],
})

export const gapStatement = (gap: ArchiveGap): Statement => ({
  sql: `INSERT INTO hub_archive_gaps (topic, partition_id, from_offset, to_offset, reason, noticed_at_ms)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  parameters: [...of(gap), gap.from, gap.to, gap.reason, gap.noticedAtMs],
})

const GAPS_MAX = 1_000

/** What the archive lacks, the newest first. */
export async function readGaps(tables: TablesPort): Promise<ArchiveGap[]> {
  const rows = await tables.query({
    sql: `SELECT topic, partition_id, from_offset, to_offset, reason, noticed_at_ms FROM hub_archive_gaps
      ORDER BY noticed_at_ms DESC, from_offset DESC LIMIT ?`,
    parameters: [GAPS_MAX],
  })
  return rows.map((row) => ({
    topic: String(row['topic']),
    partition: Number(row['partition_id']),
    from: Number(row['from_offset']),
    to: Number(row['to_offset']),
    reason: String(row['reason']),
    noticedAtMs: Number(row['noticed_at_ms']),
  }))
}

/** Up to where each partition is archived, for people. */
export async function readArchivedTo(tables: TablesPort): Promise<(Partition & { readonly next: number })[]> {
  const rows = await tables.query({ sql: 'SELECT topic, partition_id, next_offset FROM hub_archive' })
  return rows.map((row) => ({
    topic: String(row['topic']),
    partition: Number(row['partition_id']),
    next: Number(row['next_offset']),
  }))
}

/** The offset before which everything is in objects older than the newest `keptBytes` of records; null when nothing is. */
export async function findTrimOffset(tables: TablesPort, at: Partition, keptBytes: number): Promise<number | null> {
  const [row] = await tables.query({
    sql: `SELECT end_offset FROM (
        SELECT end_offset, SUM(bytes) OVER (ORDER BY end_offset DESC) AS total
        FROM hub_archive_objects WHERE topic = ? AND partition_id = ?
      ) AS sized WHERE total > ? ORDER BY end_offset DESC LIMIT 1`,
    parameters: [...of(at), keptBytes],
  })
  return row ? Number(row['end_offset']) : null
}
