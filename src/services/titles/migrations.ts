import type { Migration } from '../../engines/tables/index.ts'

/** The staff's side of a title: that it exists, what was uploaded for it, whether it was withdrawn. */
export const catalogMigrations: readonly Migration[] = [
  {
    id: 'titles-001',
    statements: [
      `CREATE TABLE titles (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        state TEXT NOT NULL,
        revision BIGINT NOT NULL,
        created_at_ms BIGINT NOT NULL,
        updated_at_ms BIGINT NOT NULL,
        file_name TEXT,
        reason TEXT,
        withdrawn_event_id TEXT
      )`,
      'CREATE INDEX titles_age ON titles (created_at_ms, id)',
      `CREATE TABLE title_uploads (
        upload_id TEXT PRIMARY KEY,
        title_id TEXT NOT NULL,
        role TEXT NOT NULL,
        object_key TEXT NOT NULL,
        file_name TEXT NOT NULL,
        language TEXT NOT NULL,
        label TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        accepted_at_ms BIGINT NOT NULL
      )`,
      'CREATE INDEX title_uploads_title ON title_uploads (title_id)',
    ],
  },
]
