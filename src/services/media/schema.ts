import type { Migration } from '../../engines/tables/index.ts'

/** Told whenever there may be a task to take. */
export const TASKS_CHANNEL = 'media.tasks'
/** Told when running tasks were cancelled, so that their workers look at once instead of at the next heartbeat. */
export const CANCEL_CHANNEL = 'media.cancel'

export const mediaMigrations: readonly Migration[] = [
  {
    id: 'media-001',
    statements: [
      `CREATE TABLE media_titles (
        title_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        version BIGINT NOT NULL,
        asset TEXT,
        ladder TEXT,
        plan TEXT,
        recipe TEXT,
        video_started BIGINT NOT NULL,
        audio_started BIGINT NOT NULL,
        playable BIGINT NOT NULL,
        created_at_ms BIGINT NOT NULL
      )`,
      `CREATE TABLE media_tasks (
        id TEXT PRIMARY KEY,
        title_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        ordinal BIGINT NOT NULL,
        state TEXT NOT NULL,
        priority BIGINT NOT NULL,
        units BIGINT NOT NULL,
        units_done BIGINT NOT NULL,
        input TEXT NOT NULL,
        output TEXT,
        attempts BIGINT NOT NULL,
        run_after_ms BIGINT NOT NULL,
        lease_owner TEXT NOT NULL,
        lease_until_ms BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        created_at_ms BIGINT NOT NULL
      )`,
      'CREATE INDEX media_tasks_by_state ON media_tasks (state, priority)',
      'CREATE INDEX media_tasks_by_title ON media_tasks (title_id, kind, ordinal)',
      `CREATE TABLE media_tracks (
        title_id TEXT NOT NULL,
        track TEXT NOT NULL,
        init_key TEXT NOT NULL,
        codec TEXT NOT NULL,
        PRIMARY KEY (title_id, track)
      )`,
      `CREATE TABLE media_segments (
        title_id TEXT NOT NULL,
        track TEXT NOT NULL,
        segment BIGINT NOT NULL,
        object_key TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        start_ticks BIGINT NOT NULL,
        duration_ticks BIGINT NOT NULL,
        PRIMARY KEY (title_id, track, segment)
      )`,
    ],
  },
]
