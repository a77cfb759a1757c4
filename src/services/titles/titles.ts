import type { TablesPort } from '../../engines/tables/index.ts'
import { OUTBOX_CHANNEL, outboxStatements, waitUntilRelayed } from '../../hub/index.ts'
import { type Clock, createShortId, Fault, type Limits, systemClock } from '../../kernel/index.ts'
import { decideAdmission, decideUpload, decideWithdrawal, type Refusal } from './decide.ts'
import {
  type AcceptedUpload,
  insertTitle,
  insertUpload,
  type TitleRow,
  toAcceptedUpload,
  toTitleRow,
  updateTitle,
} from './rows.ts'

/** Others may change the row between reading and writing; more often than this in a row is a bug. */
const ATTEMPTS_MAX = 20

export type Titles = {
  create(request: { name: string; description: string }): Promise<TitleRow>
  get(titleId: string): Promise<TitleRow | null>
  /** Newest first, at most `staffTitlesMax`. */
  list(): Promise<readonly TitleRow[]>
  /** Idempotent; null when there is no such title. Fault `not-announced` when it is stored but not on the log within `relayWaitMs`. */
  withdraw(titleId: string, reason: string): Promise<TitleRow | null>
  /** Whether the title takes an upload now: null when it does. */
  admitUpload(titleId: string): Promise<Refusal | null>
  /** Takes a complete upload in, and announces it if it is the film: once per upload id, however often it is called. Null when it is taken. */
  acceptUpload(upload: AcceptedUpload): Promise<Refusal | null>
  /** An upload that was taken in, by its id. */
  acceptedUpload(uploadId: string): Promise<AcceptedUpload | null>
}

export function createTitles(options: {
  tables: TablesPort
  /** CloudEvents `source` of what is announced. */
  source: string
  limits: Pick<Limits, 'relayWaitMs' | 'staffTitlesMax'>
  clock?: Clock
}): Titles {
  const { tables, source, limits, clock = systemClock } = options

  const get = async (titleId: string): Promise<TitleRow | null> => {
    const [row] = await tables.query({ sql: 'SELECT * FROM titles WHERE id = ?', parameters: [titleId] })
    return row ? toTitleRow(row) : null
  }
  const acceptedUpload = async (uploadId: string): Promise<AcceptedUpload | null> => {
    const [row] = await tables.query({ sql: 'SELECT * FROM title_uploads WHERE upload_id = ?', parameters: [uploadId] })
    return row ? toAcceptedUpload(row) : null
  }
  const captionsOf = async (titleId: string): Promise<AcceptedUpload[]> => {
    const rows = await tables.query({
      sql: "SELECT * FROM title_uploads WHERE title_id = ? AND role = 'captions' ORDER BY accepted_at_ms, upload_id",
      parameters: [titleId],
    })
    return rows.map(toAcceptedUpload)
  }

  return {
    get,
    acceptedUpload,
    async create({ name, description }) {
      const nowMs = clock.nowMs()
      const title: TitleRow = {
        id: createShortId(),
        name,
        description,
        state: 'uploading',
        revision: 0,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        fileName: null,
        reason: null,
        withdrawnEventId: null,
      }
      const inserted = await tables.batch([insertTitle(title)])
      if (!inserted.ok) throw new Fault('internal', `the title could not be stored: ${inserted.message}`)
      return title
    },
    async list() {
      const rows = await tables.query({
        sql: 'SELECT * FROM titles ORDER BY created_at_ms DESC, id LIMIT ?',
        parameters: [limits.staffTitlesMax],
      })
      return rows.map(toTitleRow)
    },
    async withdraw(titleId, reason) {
      const withdrawn = await persist(titleId, async () => {
        const title = await get(titleId)
        if (!title) return { done: null }
        const decision = decideWithdrawal(title, reason, { nowMs: clock.nowMs(), source })
        if (!decision) return { done: title }
        const written = await tables.batch([updateTitle(title, decision.after), ...outboxStatements(decision.events)], {
          notify: [OUTBOX_CHANNEL],
        })
        return written.ok ? { done: decision.after } : 'again'
      })
      if (withdrawn?.withdrawnEventId) await awaitRelay(withdrawn.withdrawnEventId)
      return withdrawn
    },
    async admitUpload(titleId) {
      return decideAdmission(titleId, await get(titleId))
    },
    acceptUpload(upload) {
      return persist(upload.titleId, async () => {
        const title = await get(upload.titleId)
        if (await acceptedUpload(upload.uploadId)) return { done: null }
        const refusal = decideAdmission(upload.titleId, title)
        if (refusal || !title) return { done: refusal }
        // Captions are read after the row: one that comes between changes the revision, and the write below fails.
        const captions = upload.role === 'film' ? await captionsOf(title.id) : []
        const nowMs = clock.nowMs()
        const { after, events } = decideUpload(title, upload, captions, { nowMs, source })
        const written = await tables.batch(
          [updateTitle(title, after), insertUpload(upload, nowMs), ...outboxStatements(events)],
          events.length > 0 ? { notify: [OUTBOX_CHANNEL] } : {},
        )
        return written.ok ? { done: null } : 'again'
      })
    },
  }

  async function awaitRelay(eventId: string): Promise<void> {
    if (await waitUntilRelayed({ tables, eventIds: [eventId], timeoutMs: limits.relayWaitMs })) return
    throw new Fault(
      'not-announced',
      `stored, but not on the log after ${limits.relayWaitMs} ms; it follows as soon as the log is back. Ask again to wait on`,
    )
  }
}

/** Reads, decides and writes again when someone else wrote in between. */
async function persist<T>(titleId: string, attempt: () => Promise<{ done: T } | 'again'>): Promise<T> {
  for (let count = 0; count < ATTEMPTS_MAX; count++) {
    const result = await attempt()
    if (result !== 'again') return result.done
  }
  throw new Fault('internal', `title ${titleId} changed ${ATTEMPTS_MAX} times while it was being written; retry`)
}
