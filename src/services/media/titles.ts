import type { Rung } from '../../contracts/index.ts'
import type { Row, SqlValue, Statement, TablesPort } from '../../engines/tables/index.ts'
import { OUTBOX_CHANNEL, outboxStatements, toEvent } from '../../hub/index.ts'
import { type Clock, Fault } from '../../kernel/index.ts'
import {
  type Decision,
  decide,
  type EventDraft,
  type Outcome,
  type Recorded,
  type TitleSnapshot,
  type TrackOutput,
} from './decide.ts'
import { STILL_OURS } from './leases.ts'
import { CANCEL_CHANNEL, TASKS_CHANNEL } from './schema.ts'
import type { Task, TaskDraft, TaskKind } from './task.ts'
import type { SegmentRecord } from './verify.ts'

/**
 * What came of a task, made true: one batch holds the task's row, the title's, new tasks and the events. `committed`: it
 * counts, but for the objects `superseded`. `lost`: the lease was another's by then, or the title has ended; the outputs
 * are nobody's.
 */
export type Committed =
  | { readonly kind: 'committed'; readonly superseded: readonly string[] }
  | { readonly kind: 'lost' }

export type Titles = {
  load(titleId: string): Promise<TitleSnapshot | null>
  ladder(titleId: string): Promise<readonly Rung[]>
  /** The recorded segments of every track, in order, and every object that counts. */
  recorded(
    titleId: string,
  ): Promise<{ tracks: ReadonlyMap<string, readonly SegmentRecord[]>; keys: ReadonlySet<string> }>
  /** Which segments of a track exist, of those from `from` to before `to`. */
  recordedIn(titleId: string, track: string, from: number, to: number): Promise<ReadonlyMap<number, string>>
  commit(task: Task, outcome: Outcome): Promise<Committed>
  /** Cancelled tasks of the title that a worker may still be at. */
  stopping(titleId: string): Promise<number>
}

/** Finishes of one title exclude each other by its version; more than this many losing rounds in a row is a bug. */
const ROUNDS_MAX = 50

export function createTitles(options: { tables: TablesPort; source: string; clock: Clock }): Titles {
  const { tables, source, clock } = options

  const load: Titles['load'] = async (titleId) => {
    // The title first: whatever is committed between the two raises the version, and the commit built on this fails.
    const [row] = await tables.query({ sql: 'SELECT * FROM media_titles WHERE title_id = ?', parameters: [titleId] })
    const stages = await tables.query({
      sql: `SELECT kind, SUM(units_done) AS done, SUM(units) AS total,
          SUM(CASE WHEN state = 'done' THEN 0 ELSE 1 END) AS open
        FROM media_tasks WHERE title_id = ? AND state <> 'cancelled' AND kind <> 'cleanup' GROUP BY kind`,
      parameters: [titleId],
    })
    return row ? toSnapshot(row, stages) : null
  }

  const commit: Titles['commit'] = async (task, outcome) => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const title = await load(task.titleId)
      if (!title || (title.state !== 'working' && outcome.kind !== 'cleaned')) return { kind: 'lost' }
      // After the title, like its stages.
      const known = outcome.kind === 'segments' ? await recordedOf(task.titleId, outcome.tracks) : new Map()
      const decision = decide(title, task, outcome, known)
      const events = decision.events.map((event) => toTitleEvent(event, title.titleId, source))
      const statements = [
        taskStatement(task, decision),
        titleStatement(title, decision),
        ...decision.tracks.flatMap((track) => trackStatements(title.titleId, track)),
        ...decision.tasks.map((draft) => insertTaskStatement(title.titleId, draft, clock.nowMs())),
        ...(decision.cancelRest ? [cancelStatement(title.titleId)] : []),
        ...outboxStatements(events),
      ]
      const notify = [OUTBOX_CHANNEL, TASKS_CHANNEL, ...(decision.cancelRest ? [CANCEL_CHANNEL] : [])]
      const result = await tables.batch(statements, { notify })
      const committed: Committed = { kind: 'committed', superseded: decision.superseded }
      if (result.ok) return committed
      if (result.statement === 1) continue
      if (await isApplied(task, outcome, decision)) return committed
      if (result.statement === 0) return { kind: 'lost' }
      throw new Fault('output-conflict', `${task.id}: its outputs contradict what is recorded: ${result.message}`)
    }
    throw new Fault('internal', `${task.id}: ${ROUNDS_MAX} commits in a row lost against others of the same title`)
  }

  /** A batch whose answer was lost may have been done; then its own marks are there. */
  const isApplied = async (task: Task, outcome: Outcome, decision: Decision): Promise<boolean> => {
    if (outcome.kind === 'segments') {
      const made = outcome.tracks.reduce((sum, { segments }) => sum + segments.length, 0)
      const fresh = decision.tracks.reduce((sum, { segments }) => sum + segments.length, 0)
      // Neither new nor another's: recorded, by this very attempt.
      if (made > fresh + decision.superseded.length) return true
    }
    const [row] = await tables.query({
      sql: "SELECT 1 AS found FROM media_tasks WHERE id = ? AND fence = ? AND state = 'done'",
      parameters: [task.id, task.fence],
    })
    return row !== undefined
  }

  const recordedIn: Titles['recordedIn'] = async (titleId, track, from, to) => {
    const rows = await tables.query({
      sql: 'SELECT segment, object_key FROM media_segments WHERE title_id = ? AND track = ? AND segment >= ? AND segment < ?',
      parameters: [titleId, track, from, to],
    })
    return new Map(rows.map((row) => [Number(row['segment']), String(row['object_key'])]))
  }

  const recordedOf = async (titleId: string, tracks: readonly TrackOutput[]): Promise<Recorded> => {
    const found = await Promise.all(
      tracks.map(async ({ track, segments }) => {
        const indexes = segments.map(({ index }) => index)
        const rows = await recordedIn(titleId, track, Math.min(...indexes), Math.max(...indexes) + 1)
        return [...rows].map(([index, objectKey]): [string, string] => [`${track}/${index}`, objectKey])
      }),
    )
    return new Map(found.flat())
  }

  return {
    load,
    commit,
    recordedIn,
    async ladder(titleId) {
      const [row] = await tables.query({
        sql: 'SELECT ladder FROM media_titles WHERE title_id = ?',
        parameters: [titleId],
      })
      return JSON.parse(String(row?.['ladder'] ?? '[]')) as Rung[] // written by the planner from the checked configuration
    },
    async recorded(titleId) {
      const parameters = [titleId]
      const [segments, inits, outputs] = await Promise.all([
        tables.query({
          sql: 'SELECT * FROM media_segments WHERE title_id = ? ORDER BY track, segment',
          parameters,
        }),
        tables.query({ sql: 'SELECT init_key FROM media_tracks WHERE title_id = ?', parameters }),
        tables.query({
          sql: 'SELECT output FROM media_tasks WHERE title_id = ? AND output IS NOT NULL',
          parameters,
        }),
      ])
      const tracks = new Map<string, SegmentRecord[]>()
      for (const row of segments) {
        const track = String(row['track'])
        const known = tracks.get(track)
        if (known) known.push(toSegment(row))
        else tracks.set(track, [toSegment(row)])
      }
      const keys = new Set([
        ...segments.map((row) => String(row['object_key'])),
        ...inits.map((row) => String(row['init_key'])),
        ...outputs.map((row) => String(row['output'])),
      ])
      return { tracks, keys }
    },
    async stopping(titleId) {
      const [row] = await tables.query({
        sql: "SELECT COUNT(*) AS count FROM media_tasks WHERE title_id = ? AND state = 'cancelled' AND lease_until_ms > ?",
        parameters: [titleId, clock.nowMs()],
      })
      return Number(row?.['count'] ?? 0)
    },
  }
}

/** Also what the planner inserts its first task with; a task that exists is left as it is. */
export function insertTaskStatement(titleId: string, draft: TaskDraft, nowMs: number): Statement {
  return {
    sql: `INSERT INTO media_tasks
      (id, title_id, kind, ordinal, state, priority, units, units_done, input, output, attempts, run_after_ms,
        lease_owner, lease_until_ms, fence, created_at_ms)
      VALUES (?, ?, ?, ?, 'pending', ?, ?, 0, ?, NULL, 0, 0, '', 0, 0, ?)
      ON CONFLICT (id) DO NOTHING`,
    parameters: [
      draft.id,
      titleId,
      draft.kind,
      draft.ordinal,
      draft.priority,
      draft.units,
      JSON.stringify(draft.input),
      nowMs,
    ],
  }
}

/** Everything of a title that is not done; what is running stops at its worker's next look. */
export function cancelStatement(titleId: string): Statement {
  return {
    sql: `UPDATE media_tasks SET state = 'cancelled'
      WHERE title_id = ? AND state IN ('pending', 'running') AND kind <> 'cleanup'`,
    parameters: [titleId],
  }
}

function taskStatement(task: Task, decision: Decision): Statement {
  return {
    sql: `UPDATE media_tasks SET state = ?, units_done = ?, output = COALESCE(?, output) ${STILL_OURS}`,
    parameters: [decision.done ? 'done' : 'running', decision.unitsDone, decision.output, task.id, task.fence],
    expectRows: 1,
  }
}

function titleStatement(title: TitleSnapshot, decision: Decision): Statement {
  const json = (value: unknown): SqlValue => (value === null ? null : JSON.stringify(value))
  return {
    sql: `UPDATE media_titles SET version = version + 1, state = ?, plan = ?, recipe = ?, video_started = ?,
      audio_started = ?, playable = ? WHERE title_id = ? AND version = ?`,
    parameters: [
      decision.state,
      json(decision.plan),
      json(decision.recipe),
      Number(decision.videoStarted),
      Number(decision.audioStarted),
      Number(decision.playable),
      title.titleId,
      title.version,
    ],
    expectRows: 1,
  }
}

/** The first finish of a track names its initialisation segment; every later one must have made the very same. */
function trackStatements(titleId: string, output: TrackOutput): Statement[] {
  const { track, init, segments } = output
  return [
    {
      sql: `INSERT INTO media_tracks (title_id, track, init_key, codec) VALUES (?, ?, ?, ?)
        ON CONFLICT (title_id, track) DO NOTHING`,
      parameters: [titleId, track, init.objectKey, init.codec],
    },
    {
      sql: 'UPDATE media_tracks SET codec = ? WHERE title_id = ? AND track = ? AND init_key = ?',
      parameters: [init.codec, titleId, track, init.objectKey],
      expectRows: 1,
    },
    ...segments.map((segment) => ({
      sql: `INSERT INTO media_segments (title_id, track, segment, object_key, bytes, start_ticks, duration_ticks)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      parameters: [titleId, track, segment.index, segment.objectKey, segment.bytes, segment.start, segment.duration],
      expectRows: 1,
    })),
  ]
}

function toTitleEvent(draft: EventDraft, titleId: string, source: string): ReturnType<typeof toEvent> {
  return toEvent(draft.type, titleId, draft.data, { source })
}

/** Rows are written by this room alone, from checked values. */
function toSnapshot(row: Row, stages: readonly Row[]): TitleSnapshot {
  const json = <T>(column: string): T | null => (row[column] === null ? null : (JSON.parse(String(row[column])) as T))
  return {
    titleId: String(row['title_id']),
    state: String(row['state']) as TitleSnapshot['state'],
    version: Number(row['version']),
    asset: json<TitleSnapshot['asset']>('asset') as TitleSnapshot['asset'],
    plan: json('plan'),
    recipe: json('recipe'),
    videoStarted: row['video_started'] === 1,
    audioStarted: row['audio_started'] === 1,
    playable: row['playable'] === 1,
    stages: new Map(
      stages.map((stage) => [
        String(stage['kind']) as TaskKind,
        { done: Number(stage['done']), total: Number(stage['total']), open: Number(stage['open']) },
      ]),
    ),
  }
}

function toSegment(row: Row): SegmentRecord {
  return {
    index: Number(row['segment']),
    objectKey: String(row['object_key']),
    bytes: Number(row['bytes']),
    start: Number(row['start_ticks']),
    duration: Number(row['duration_ticks']),
  }
}
