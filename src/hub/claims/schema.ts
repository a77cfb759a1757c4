import type { Migration } from '../../engines/tables/index.ts'

/**
 * `state`: `written` until something on the log is known to refer to it, then `referenced` for good; `condemned` while it
 * is being removed. The positions say up to where the log has been searched for references.
 */
export const claimMigration: Migration = {
  id: 'hub-003',
  statements: [
    `CREATE TABLE hub_claims (
      ref TEXT PRIMARY KEY,
      event_id TEXT NOT NULL,
      created_at_ms BIGINT NOT NULL,
      state TEXT NOT NULL
    )`,
    "CREATE INDEX hub_claims_unsettled ON hub_claims (created_at_ms, ref) WHERE state <> 'referenced'",
    `CREATE TABLE hub_claim_positions (
      topic TEXT NOT NULL,
      partition_number BIGINT NOT NULL,
      next_offset BIGINT NOT NULL,
      PRIMARY KEY (topic, partition_number)
    )`,
  ],
}
