import type { Migration } from '../engines/tables/index.ts'
import { archiveMigration } from './archive/schema.ts'
import { busMigration } from './bus/schema.ts'
import { claimMigration } from './claims/schema.ts'
import { spokesMigration } from './spokes/schema.ts'

/** The hub's tables: what waits for the relay, what has had its effect, who may relay. */
export const hubMigrations: readonly Migration[] = [
  {
    id: 'hub-001',
    statements: [
      'CREATE TABLE hub_sequences (name TEXT PRIMARY KEY, value BIGINT NOT NULL)',
      "INSERT INTO hub_sequences (name, value) VALUES ('outbox', 0)",
      `CREATE TABLE hub_outbox (
        position BIGINT PRIMARY KEY,
        event_id TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL,
        event_key TEXT NOT NULL,
        event TEXT NOT NULL
      )`,
      `CREATE TABLE hub_inbox (
        subscriber TEXT NOT NULL,
        event_id TEXT NOT NULL,
        handled_at_ms BIGINT NOT NULL,
        PRIMARY KEY (subscriber, event_id)
      )`,
      'CREATE INDEX hub_inbox_age ON hub_inbox (handled_at_ms)',
      'CREATE TABLE hub_leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence BIGINT NOT NULL, beat BIGINT NOT NULL)',
      "INSERT INTO hub_leases (name, owner, fence, beat) VALUES ('relay', '', 0, 0)",
    ],
  },
  busMigration,
  claimMigration,
  spokesMigration,
  archiveMigration,
]
