import type { Migration } from '../../engines/tables/index.ts'

/** Who outside may use the hub. Of a token only its digest is kept; `token_id` is the part of it that finds the row. */
export const spokesMigration: Migration = {
  id: 'hub-005',
  statements: [
    `CREATE TABLE hub_spokes (
      name TEXT PRIMARY KEY,
      token_id TEXT NOT NULL UNIQUE,
      token_digest TEXT NOT NULL,
      publishes TEXT NOT NULL,
      patterns TEXT NOT NULL,
      topics TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL
    )`,
  ],
}
