import type { Migration } from '../../engines/tables/index.ts'

/**
 * `hub_parked.next_at_ms` is null for what waits behind another of its key; `aged_from_ms` is from when the policy's age
 * counts: the append, the replay or the redrive. `generation` tells a subscription from an earlier one of its name, whose rows are none of
 * its business; null for a pipe. `hub_positions.first_offset` is where the subscription began. `claim_ref` names the claim that must not
 * go while the row is there.
 */
export const busMigration: Migration = {
  id: 'hub-002',
  statements: [
    `CREATE TABLE hub_subscriptions (
      name TEXT PRIMARY KEY,
      owner TEXT,
      pattern TEXT NOT NULL,
      target TEXT NOT NULL,
      transformer TEXT,
      policy TEXT NOT NULL,
      state TEXT NOT NULL,
      detail TEXT,
      generation BIGINT NOT NULL,
      revision BIGINT NOT NULL,
      created_at_ms BIGINT NOT NULL
    )`,
    `CREATE TABLE hub_positions (
      subscription TEXT NOT NULL,
      topic TEXT NOT NULL,
      partition_number BIGINT NOT NULL,
      generation BIGINT NOT NULL,
      first_offset BIGINT NOT NULL,
      next_offset BIGINT NOT NULL,
      PRIMARY KEY (subscription, generation, topic, partition_number)
    )`,
    `CREATE TABLE hub_parked (
      subscription TEXT NOT NULL,
      generation BIGINT NOT NULL,
      delivery_id TEXT NOT NULL,
      seq BIGINT NOT NULL,
      event_key TEXT NOT NULL,
      topic TEXT NOT NULL,
      partition_number BIGINT NOT NULL,
      event_offset BIGINT NOT NULL,
      replay TEXT,
      attempts BIGINT NOT NULL,
      first_failed_at_ms BIGINT,
      next_at_ms BIGINT,
      appended_at_ms BIGINT NOT NULL,
      aged_from_ms BIGINT NOT NULL,
      reason TEXT,
      letter TEXT,
      claim_ref TEXT,
      event TEXT NOT NULL,
      PRIMARY KEY (subscription, generation, delivery_id)
    )`,
    'CREATE INDEX hub_parked_order ON hub_parked (subscription, generation, seq)',
    'CREATE INDEX hub_parked_keys ON hub_parked (subscription, generation, event_key, seq)',
    'CREATE INDEX hub_parked_due ON hub_parked (subscription, generation, next_at_ms)',
    'CREATE INDEX hub_parked_claims ON hub_parked (claim_ref) WHERE claim_ref IS NOT NULL',
    `CREATE TABLE hub_dead_letters (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      generation BIGINT,
      event_id TEXT,
      type TEXT,
      event_key TEXT NOT NULL,
      topic TEXT NOT NULL,
      partition_number BIGINT NOT NULL,
      event_offset BIGINT NOT NULL,
      code TEXT NOT NULL,
      reason TEXT NOT NULL,
      path TEXT,
      attempts BIGINT NOT NULL,
      bytes BIGINT NOT NULL,
      first_failed_at_ms BIGINT NOT NULL,
      dead_at_ms BIGINT NOT NULL,
      state TEXT NOT NULL,
      settled_at_ms BIGINT,
      headers TEXT NOT NULL,
      payload BLOB,
      claim_ref TEXT,
      claim TEXT,
      delivery_id TEXT,
      replay TEXT,
      appended_at_ms BIGINT NOT NULL
    )`,
    'CREATE INDEX hub_dead_letters_age ON hub_dead_letters (dead_at_ms, id)',
    'CREATE INDEX hub_dead_letters_name ON hub_dead_letters (name, dead_at_ms, id)',
    "CREATE INDEX hub_dead_letters_open ON hub_dead_letters (name, generation) WHERE state = 'open'",
    'CREATE INDEX hub_dead_letters_event ON hub_dead_letters (event_id) WHERE event_id IS NOT NULL',
    'CREATE INDEX hub_dead_letters_claims ON hub_dead_letters (claim_ref) WHERE claim_ref IS NOT NULL',
    "INSERT INTO hub_leases (name, owner, fence, beat) VALUES ('bus', '', 0, 0)",
  ],
}
