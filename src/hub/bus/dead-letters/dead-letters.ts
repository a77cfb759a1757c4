import type { AnyEvent, DeadLetter } from '../../../contracts/index.ts'
import type { LogPort } from '../../../engines/log/index.ts'
import type { Row, SqlValue, Statement, TablesPort } from '../../../engines/tables/index.ts'
import { type Clock, Fault, type Limits, systemClock } from '../../../kernel/index.ts'
import { CLAIM_HEADER, type Claim, toClaimHeader } from '../../claims/index.ts'
import { REDRIVE_HEADER, toRedriveHeader } from '../../pipe/derive-id.ts'
import type { AddDeadLetters } from '../dead-letter.ts'
import { insertStatement, PARKED_CHANNEL } from '../parked-rows.ts'
import { insertLetterStatement, LETTER_COLUMNS, toDeadLetter, toPayload } from './rows.ts'

export type DeadLetterFilter = {
  readonly state?: DeadLetter['state']
  readonly kind?: DeadLetter['kind']
  readonly name?: string
  /** Of the subscription: one of its name that came before or after is another. */
  readonly generation?: number
  readonly eventId?: string
  /** The `cursor` of the page before. */
  readonly before?: string
  readonly max?: number
}

export type DeadLetterPage = {
  /** Newest first. */
  readonly letters: readonly DeadLetter[]
  /** For the next page; null at the end. */
  readonly cursor: string | null
}

export type DeadLetterWithPayload = DeadLetter & {
  /** Of the subscription; null for a pipe. */
  readonly generation: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array | Claim
}

export type DeadLetters = {
  add: AddDeadLetters
  list(filter?: DeadLetterFilter): Promise<DeadLetterPage>
  get(id: string): Promise<DeadLetterWithPayload | null>
  /**
   * Tries again: a delivery as if for the first time, its age counted from now; a record by its pipe. Faults: `dead-letter-unknown`;
   * `dead-letter-closed` when it was redriven or discarded before, by whomever; `subscription-unknown`.
   */
  redrive(id: string): Promise<void>
  /** Nobody wants it any more. Faults as above. */
  discard(id: string): Promise<void>
  /** Removes what was redriven or discarded long ago; says how many. */
  sweep(): Promise<number>
}

export function createDeadLetters(options: {
  tables: TablesPort
  log: Pick<LogPort, 'append'>
  limits: Pick<Limits, 'hubDeadLettersPageMax' | 'hubDeadLettersKeptMs'>
  clock?: Clock
}): DeadLetters {
  const { tables, log, limits, clock = systemClock } = options

  const find = async (id: string): Promise<Row> => {
    const sql = `SELECT ${LETTER_COLUMNS}, generation, headers, payload, claim, claim_ref, delivery_id, replay, appended_at_ms
      FROM hub_dead_letters WHERE id = ?`
    const [row] = await tables.query({ sql, parameters: [id] })
    if (!row) throw new Fault('dead-letter-unknown', `there is no dead letter ${id}; list them to see which there are`)
    return row
  }
  const findOpen = async (id: string): Promise<Row> => {
    const row = await find(id)
    if (row['state'] !== 'open') throw toClosed(id)
    return row
  }
  const closeStatement = (id: string, state: DeadLetter['state']): Statement => ({
    sql: "UPDATE hub_dead_letters SET state = ?, settled_at_ms = ? WHERE id = ? AND state = 'open'",
    parameters: [state, clock.nowMs(), id],
    expectRows: 1,
  })
  /** One of two who do it at once wins. */
  const close = async (id: string, statements: readonly Statement[], notify: readonly string[] = []): Promise<void> => {
    const result = await tables.batch(statements, { notify })
    if (!result.ok) throw toClosed(id)
  }

  const redriveDelivery = async (row: Row): Promise<void> => {
    const id = String(row['id'])
    const name = String(row['name'])
    const generation = Number(row['generation'])
    const known = {
      sql: 'SELECT name FROM hub_subscriptions WHERE name = ? AND generation = ?',
      parameters: [name, generation],
    }
    // One of its name that came later may be somebody else's.
    if ((await tables.query(known)).length === 0)
      throw new Fault(
        'subscription-unknown',
        `the subscription ${name} that ${id} is of is there no more; discard it, or replay its events to another`,
      )
    const nowMs = clock.nowMs()
    const parked = insertStatement({ name, generation }, toParked(row, nowMs), nowMs)
    await close(id, [closeStatement(id, 'redriven'), parked], [PARKED_CHANNEL])
  }
  /**
   * The record first: after a crash between the two the letter is still open, and the record, should it be redriven again, makes the
   * same events.
   */
  const redriveRecord = async (row: Row): Promise<void> => {
    const id = String(row['id'])
    await log.append(String(row['topic']), [toRecord(row)])
    await close(id, [closeStatement(id, 'redriven')])
  }

  return {
    async add(letters) {
      const nowMs = clock.nowMs()
      const statements = letters.map((letter) => insertLetterStatement(letter, nowMs))
      if (statements.length === 0 || (await tables.batch(statements)).ok) return
      // Some are there already: one by one, so that the others are added.
      for (const statement of statements) await tables.batch([statement])
    },
    async list(filter = {}) {
      const max = Math.min(filter.max ?? limits.hubDeadLettersPageMax, limits.hubDeadLettersPageMax)
      const rows = await tables.query(listStatement(filter, max))
      const last = rows.length === max ? rows.at(-1) : undefined
      return { letters: rows.map(toDeadLetter), cursor: last ? `${last['dead_at_ms']}~${last['id']}` : null }
    },
    async get(id) {
      const row = await find(id).catch((error: unknown) => {
        if (error instanceof Fault && error.code === 'dead-letter-unknown') return null
        throw error
      })
      if (!row) return null
      const generation = row['generation'] === null ? null : Number(row['generation'])
      return { ...toDeadLetter(row), generation, headers: toHeaders(row), payload: toPayload(row) }
    },
    async redrive(id) {
      const row = await findOpen(id)
      await (row['kind'] === 'pipe' ? redriveRecord(row) : redriveDelivery(row))
    },
    async discard(id) {
      await findOpen(id)
      // The bus counts what is open.
      await close(id, [closeStatement(id, 'discarded')], [PARKED_CHANNEL])
    },
    async sweep() {
      const sql = "DELETE FROM hub_dead_letters WHERE state <> 'open' AND settled_at_ms < ?"
      const result = await tables.batch([{ sql, parameters: [clock.nowMs() - limits.hubDeadLettersKeptMs] }])
      return result.ok ? (result.results[0]?.changes ?? 0) : 0
    },
  }
}

function listStatement({ state, kind, name, generation, eventId, before }: DeadLetterFilter, max: number): Statement {
  const conditions: string[] = []
  const parameters: SqlValue[] = []
  const narrow = (condition: string, ...values: readonly SqlValue[]): void => {
    conditions.push(condition)
    parameters.push(...values)
  }
  if (state !== undefined) narrow('state = ?', state)
  if (kind !== undefined) narrow('kind = ?', kind)
  if (name !== undefined) narrow('name = ?', name)
  if (generation !== undefined) narrow('generation = ?', generation)
  if (eventId !== undefined) narrow('event_id = ?', eventId)
  if (before !== undefined) {
    const { atMs, id } = parseCursor(before)
    narrow('(dead_at_ms < ? OR (dead_at_ms = ? AND id < ?))', atMs, atMs, id)
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  return {
    sql: `SELECT ${LETTER_COLUMNS} FROM hub_dead_letters ${where} ORDER BY dead_at_ms DESC, id DESC LIMIT ?`,
    parameters: [...parameters, max],
  }
}

function parseCursor(cursor: string): { readonly atMs: number; readonly id: string } {
  const [, atMs, id] = /^(\d{1,15})~(.{1,200})$/.exec(cursor) ?? []
  if (atMs === undefined || id === undefined)
    throw new Fault(
      'cursor-invalid',
      `expected the cursor of a page before, got ${JSON.stringify(cursor.slice(0, 100))}`,
    )
  return { atMs: Number(atMs), id }
}

function toParked(row: Row, nowMs: number): Parameters<typeof insertStatement>[1] {
  const event = Buffer.from(row['payload'] as Uint8Array).toString() // deliveries hold their event as bytes
  return {
    deliveryId: String(row['delivery_id']),
    key: String(row['event_key']),
    topic: String(row['topic']),
    partition: Number(row['partition_number']),
    offset: Number(row['event_offset']),
    replay: row['replay'] === null ? null : String(row['replay']),
    attempts: 0,
    firstFailedAtMs: null,
    appendedAtMs: Number(row['appended_at_ms']),
    agedFromMs: nowMs,
    reason: null,
    letter: String(row['id']),
    claimRef: (JSON.parse(event) as AnyEvent).dataref ?? null,
    event,
  }
}

function toRecord(row: Row): { key: string; value: Uint8Array; headers: Readonly<Record<string, string>> } {
  const payload = toPayload(row)
  const isBytes = payload instanceof Uint8Array
  const claim = isBytes ? {} : { [CLAIM_HEADER]: toClaimHeader(payload) }
  return {
    key: String(row['event_key']),
    value: isBytes ? payload : new Uint8Array(0),
    headers: { ...toHeaders(row), ...claim, [REDRIVE_HEADER]: toRedriveHeader(String(row['name']), String(row['id'])) },
  }
}

function toHeaders(row: Row): Readonly<Record<string, string>> {
  return JSON.parse(String(row['headers'])) as Record<string, string> // written by insertLetterStatement
}

function toClosed(id: string): Fault {
  return new Fault(
    'dead-letter-closed',
    `the dead letter ${id} was redriven or discarded already; list them to see its state`,
  )
}
