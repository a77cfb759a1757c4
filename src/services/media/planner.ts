import type { EventData, Rung } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { subscribe } from '../../hub/index.ts'
import { type Clock, type Logger, systemClock } from '../../kernel/index.ts'
import { decideWanted } from './decide.ts'
import { CANCEL_CHANNEL, TASKS_CHANNEL } from './schema.ts'
import { PRIORITY, type TaskDraft, toTask } from './task.ts'
import { cancelStatement, insertTaskStatement } from './titles.ts'

export type Planner = {
  /** Events not yet turned into tasks. */
  lag(): number
  silentForMs(): number
  close(): Promise<void>
}

/** The log's consumer group of this service. */
const GROUP = 'media'
/** Chunks behind a wanted one that its viewer will want next. */
const SOON_WANTED_CHUNKS = 3

/**
 * Turns events into tasks: an upload into a probe, a viewer's wish into a higher priority, a withdrawal into
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
    const { titleId, track, index } = wanted
    const chunk = await chunkOfSegment(tables, titleId, track, index)
    const rows = await tables.query({
      sql: `SELECT * FROM media_tasks WHERE title_id = ? AND kind = ? AND ordinal = ? AND state = 'pending'`,
      parameters: [titleId, chunk === null ? 'audio' : 'video', chunk ?? 0],
    })
    const task = rows.map(toTask).find((row) => chunk === null || row.input.renditions?.includes(track))
    if (!task) return
    const decision = decideWanted(titleId, task, track)
    if (decision.kind === 'none') return
    const raise =
      decision.kind === 'raise'
        ? [{ sql: 'UPDATE media_tasks SET priority = ? WHERE id = ?', parameters: [decision.priority, task.id] }]
        : [
            {
              sql: `UPDATE media_tasks SET input = ?, units = ? WHERE id = ? AND state = 'pending' AND units = ?`,
              parameters: [JSON.stringify({ renditions: decision.rest }), decision.rest.length, task.id, task.units],
              expectRows: 1,
            },
            insertTaskStatement(titleId, decision.wanted, clock.nowMs()),
            {
              sql: "UPDATE media_titles SET version = version + 1 WHERE title_id = ? AND state = 'working'",
              parameters: [titleId],
              expectRows: 1,
            },
          ]
    const soon = {
      sql: `UPDATE media_tasks SET priority = ? WHERE title_id = ? AND kind = 'video' AND state = 'pending'
        AND ordinal > ? AND ordinal <= ? AND priority < ?`,
      parameters: [PRIORITY.soonWanted, titleId, chunk ?? 0, (chunk ?? 0) + SOON_WANTED_CHUNKS, PRIORITY.soonWanted],
    }
    // Refused when a worker took the task meanwhile: then it is being made already.
    await tables.batch(chunk === null ? raise : [...raise, soon], { notify: [TASKS_CHANNEL] })
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

/** The chunk that holds a segment of pictures; null for sound and for what has no plan. */
async function chunkOfSegment(
  tables: TablesPort,
  titleId: string,
  track: string,
  segment: number,
): Promise<number | null> {
  if (!track.startsWith('v')) return null
  const [row] = await tables.query({ sql: 'SELECT plan FROM media_titles WHERE title_id = ?', parameters: [titleId] })
  if (typeof row?.['plan'] !== 'string') return null
  const { video } = JSON.parse(row['plan']) as { video: { segmentsPerChunk: number } } // written from a checked plan
  return Math.floor(segment / video.segmentsPerChunk)
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
