import type { EventData, Plan, Rung } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { subscribe } from '../../hub/index.ts'
import { type Clock, type Logger, systemClock } from '../../kernel/index.ts'
import { type Around, decideSoonWanted, decideWanted, spansOf, WANTED_SEGMENTS } from './decide.ts'
import { CANCEL_CHANNEL, TASKS_CHANNEL } from './schema.ts'
import { PRIORITY, type TaskDraft, toTask, URGENT_PRIORITY } from './task.ts'
import { cancelStatement, insertTaskStatement } from './titles.ts'

export type Planner = {
  /** Events not yet turned into tasks. */
  lag(): number
  silentForMs(): number
  close(): Promise<void>
}

/** The log's consumer group of this service. */
const GROUP = 'media'
/** A title of which this many commits in a row come in between has workers enough at it. */
const ROUNDS_MAX = 50

/**
 * Turns events into tasks: an upload into a probe, a viewer's wish into one that comes first, a withdrawal into
 * cancellation. Each effect is idempotent (tasks are named by what they make), so events may come again.
 */
export function createPlanner(options: {
  log: LogPort
  tables: TablesPort
  ladder: readonly Rung[]
  logger: Logger
  clock?: Clock
}): Planner {
  const { log, tables, ladder, logger, clock = systemClock } = options

  const onUploaded = async (asset: EventData<'tentpole.asset.uploaded.v1'>): Promise<void> => {
    const { titleId } = asset
    const probe: TaskDraft = {
      id: `${titleId}/probe`,
      kind: 'probe',
      ordinal: 0,
      priority: PRIORITY.probe,
      units: 1,
      input: {},
    }
    await tables.batch(
      [
        insertTitleStatement(titleId, 'working', { asset, ladder, nowMs: clock.nowMs() }),
        // Not for a title that was withdrawn before its upload was heard of.
        insertTaskStatement(titleId, probe, clock.nowMs()),
        {
          sql: `UPDATE media_tasks SET state = 'cancelled' WHERE title_id = ? AND state = 'pending'
            AND EXISTS (SELECT 1 FROM media_titles m WHERE m.title_id = ? AND m.state <> 'working')`,
          parameters: [titleId, titleId],
        },
      ],
      { notify: [TASKS_CHANNEL] },
    )
    logger.info('a film was uploaded', { titleId, fileName: asset.source.fileName, bytes: asset.source.bytes })
  }

  const onWithdrawn = async (titleId: string): Promise<void> => {
    await tables.batch(
      [
        insertTitleStatement(titleId, 'withdrawn', { asset: null, ladder: [], nowMs: clock.nowMs() }),
        {
          sql: "UPDATE media_titles SET state = 'withdrawn', version = version + 1 WHERE title_id = ?",
          parameters: [titleId],
        },
        cancelStatement(titleId),
      ],
      { notify: [CANCEL_CHANNEL] },
    )
  }

  const onWanted = async (wanted: EventData<'tentpole.segment.wanted.v1'>): Promise<void> => {
    const { titleId } = wanted
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const title = await loadPlanned(titleId)
      if (!title) return
      const decision = decideWanted(title, wanted, await lookAround(title.plan, wanted))
      if (!decision) return
      const soon = decideSoonWanted(title.plan, wanted)
      const result = await tables.batch(
        [
          {
            // A commit in between may have made the segment, or the whole title: looked at again then.
            sql: `UPDATE media_titles SET version = version + 1
              WHERE title_id = ? AND state = 'working' AND version = ?`,
            parameters: [titleId, title.version],
            expectRows: 1,
          },
          insertTaskStatement(titleId, decision, clock.nowMs()),
          {
            sql: `UPDATE media_tasks SET priority = ? WHERE title_id = ? AND kind = ? AND state = 'pending'
              AND ordinal >= ? AND ordinal <= ? AND priority < ?`,
            parameters: [PRIORITY.soonWanted, titleId, soon.kind, soon.firstChunk, soon.lastChunk, PRIORITY.soonWanted],
          },
        ],
        { notify: [TASKS_CHANNEL] },
      )
      if (result.ok) return
    }
    logger.warn('a wanted segment was not made first: its title changes too fast', { ...wanted })
  }

  const loadPlanned = async (titleId: string): Promise<{ titleId: string; plan: Plan; version: number } | null> => {
    const [row] = await tables.query({
      sql: "SELECT plan, version FROM media_titles WHERE title_id = ? AND state = 'working' AND plan IS NOT NULL",
      parameters: [titleId],
    })
    // Written from a checked plan.
    return row ? { titleId, plan: JSON.parse(String(row['plan'])) as Plan, version: Number(row['version']) } : null
  }

  const lookAround = async (plan: Plan, wanted: EventData<'tentpole.segment.wanted.v1'>): Promise<Around> => {
    const { titleId, track, index } = wanted
    const segments = await tables.query({
      sql: 'SELECT segment FROM media_segments WHERE title_id = ? AND track = ? AND segment >= ? AND segment < ?',
      parameters: [titleId, track, index, index + WANTED_SEGMENTS],
    })
    const tasks = await tables.query({
      sql: "SELECT * FROM media_tasks WHERE title_id = ? AND priority >= ? AND state IN ('pending', 'running')",
      parameters: [titleId, URGENT_PRIORITY],
    })
    return {
      recorded: new Set(segments.map((row) => Number(row['segment']))),
      underWay: tasks.map(toTask).flatMap((task) => spansOf(plan, task, track)),
    }
  }

  const subscriptions = [
    subscribe({
      log,
      topic: 'assets',
      group: GROUP,
      logger,
      handlers: { 'tentpole.asset.uploaded.v1': (event) => onUploaded(event.data) },
    }),
    subscribe({
      log,
      topic: 'titles',
      group: GROUP,
      logger,
      handlers: { 'tentpole.title.withdrawn.v1': (event) => onWithdrawn(event.data.titleId) },
    }),
    subscribe({
      log,
      topic: 'media',
      group: GROUP,
      logger,
      handlers: { 'tentpole.segment.wanted.v1': (event) => onWanted(event.data) },
    }),
  ]

  return {
    lag: () => subscriptions.reduce((sum, subscription) => sum + subscription.lag(), 0),
    silentForMs: () => Math.max(...subscriptions.map((subscription) => subscription.silentForMs())),
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
    },
  }
}

function insertTitleStatement(
  titleId: string,
  state: 'working' | 'withdrawn',
  values: { asset: unknown; ladder: readonly Rung[]; nowMs: number },
): { sql: string; parameters: (string | number | null)[] } {
  return {
    sql: `INSERT INTO media_titles
      (title_id, state, version, asset, ladder, plan, recipe, video_started, audio_started, playable, created_at_ms)
      VALUES (?, ?, 0, ?, ?, NULL, NULL, 0, 0, 0, ?)
      ON CONFLICT (title_id) DO NOTHING`,
    parameters: [
      titleId,
      state,
      values.asset === null ? null : JSON.stringify(values.asset),
      JSON.stringify(values.ladder),
      values.nowMs,
    ],
  }
}
