import type { Migration } from '../../engines/tables/index.ts'

/**
 * How far the archive is, what it holds and what it lacks. All of it but the reasons of gaps can be told from the objects'
 * keys: `hub_archive_objects` only saves reading them for what the log may forget.
 */
export const archiveMigration: Migration = {
  id: 'hub-004',
  statements: [
    `CREATE TABLE hub_archive (
      topic TEXT NOT NULL,
      partition_id BIGINT NOT NULL,
      next_offset BIGINT NOT NULL,
      planned_end BIGINT,
      PRIMARY KEY (topic, partition_id)
    )`,
    `CREATE TABLE hub_archive_objects (
      topic TEXT NOT NULL,
      partition_id BIGINT NOT NULL,
      first_offset BIGINT NOT NULL,
      end_offset BIGINT NOT NULL,
      bytes BIGINT NOT NULL,
      PRIMARY KEY (topic, partition_id, end_offset)
    )`,
    `CREATE TABLE hub_archive_gaps (
      topic TEXT NOT NULL,
      partition_id BIGINT NOT NULL,
      from_offset BIGINT NOT NULL,
      to_offset BIGINT NOT NULL,
      reason TEXT NOT NULL,
      noticed_at_ms BIGINT NOT NULL,
      PRIMARY KEY (topic, partition_id, from_offset)
    )`,
    `CREATE TABLE hub_replays (
      id TEXT PRIMARY KEY,
      subscription TEXT NOT NULL,
      from_ms BIGINT NOT NULL,
      to_ms BIGINT NOT NULL,
      pattern TEXT,
      events_per_second DOUBLE PRECISION NOT NULL,
      state TEXT NOT NULL,
      detail TEXT,
      position TEXT NOT NULL,
      read_count BIGINT NOT NULL,
      delivered_count BIGINT NOT NULL,
      lost_count BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL
    )`,
    "INSERT INTO hub_leases (name, owner, fence, beat) VALUES ('archive', '', 0, 0)",
  ],
}
