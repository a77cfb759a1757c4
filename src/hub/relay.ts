import type { LogAppend, LogPort } from '../engines/log/index.ts'
import type { Row, TablesPort } from '../engines/tables/index.ts'
import { type Clock, createId, describeError, type Logger, systemClock } from '../kernel/index.ts'
import { createLease } from './lease.ts'
import { OUTBOX_CHANNEL } from './outbox.ts'
import { createWaker } from './waker.ts'

/** Told after rows have left the outbox for the log. */
const RELAYED_CHANNEL = 'hub-relayed'
const ROWS_PER_ROUND = 64
const LEASE_MS = 1_500
/** How often the holder looks without being woken, and beats; a standby looks twice as often. */
const HOLDER_POLL_MS = 500
const STANDBY_POLL_MS = 250
const INBOX_KEPT_MS = 30 * 24 * 3_600_000
const INBOX_SWEEP_MS = 3_600_000

export type Relay = {
  /** Looks now instead of at the next poll. */
  poke(): void
  /** Whether this process is the one that relays at present. */
  holds(): boolean
  /** When the last look at the tables went well, ms ago; grows while the engine is away. */
  silentForMs(): number
  close(): Promise<void>
}

/**
 * Moves outbox rows to the log in commit order. Every process that writes outbox rows may run one: a lease lets one work
 * at a time, another takes over about 2 s after its death. A row goes only after its append is durable, so a crash
 * between the two repeats events (with the same ids) and never loses one. The *first* occurrences of a key's events are always in
 * commit order, even when a paused holder comes back and repeats some: it can only repeat what was appended already.
 */
export function createRelay(options: {
  tables: TablesPort
  log: LogPort
  /** For people who read the lease row. */
  owner: string
  logger: Logger
  clock?: Clock
}): Relay {
  const { tables, log, logger, clock = systemClock } = options
  const lease = createLease({
    tables,
    name: 'relay',
    owner: `${options.owner} ${createId()}`,
    leaseMs: LEASE_MS,
    clock,
  })
  const waker = createWaker()
  let closed = false
  let lastGoodMs = clock.elapsedMs()
  let sweptMs = Number.NEGATIVE_INFINITY
  let complaint = ''

  const relayRound = async (): Promise<boolean> => {
    const rows = await tables.query({
      sql: 'SELECT event_id, topic, event_key, event FROM hub_outbox ORDER BY position LIMIT ?',
      parameters: [ROWS_PER_ROUND],
    })
    if (rows.length === 0 || lease.validForMs() === 0) return false
    for (const run of toRuns(rows)) await log.append(run.topic, run.appends)
    const sentAtMs = clock.elapsedMs()
    const marks = rows.map(() => '?').join(', ')
    const removed = await tables.batch(
      [
        lease.fenceStatement(),
        {
          sql: `DELETE FROM hub_outbox WHERE event_id IN (${marks})`,
          parameters: rows.map((row) => String(row['event_id'])),
        },
      ],
      { notify: [RELAYED_CHANNEL] },
    )
    lease.fenced(sentAtMs, removed.ok)
    return removed.ok && rows.length === ROWS_PER_ROUND
  }

  const sweepInbox = async (): Promise<void> => {
    if (clock.elapsedMs() - sweptMs < INBOX_SWEEP_MS) return
    sweptMs = clock.elapsedMs()
    await tables.batch([
      { sql: 'DELETE FROM hub_inbox WHERE handled_at_ms < ?', parameters: [clock.nowMs() - INBOX_KEPT_MS] },
    ])
  }

  const run = async (): Promise<void> => {
    while (!closed) {
      try {
        const held = await lease.hold()
        if (held) {
          while (!closed && (await relayRound())) await lease.hold()
          await sweepInbox()
        }
        lastGoodMs = clock.elapsedMs()
        complaint = ''
      } catch (error) {
        // The same trouble is told once, not at each of the four tries a second.
        const reason = describeError(error)
        if (reason !== complaint)
          logger.warn('the relay cannot reach the log or the tables; it tries on', { error: reason })
        complaint = reason
      }
      if (!closed) await waker.wait(lease.validForMs() > 0 ? HOLDER_POLL_MS : STANDBY_POLL_MS)
    }
  }

  const stopListening = tables.listen(OUTBOX_CHANNEL, waker.wake)
  const running = run()

  return {
    poke: waker.wake,
    holds: () => lease.validForMs() > 0,
    silentForMs: () => clock.elapsedMs() - lastGoodMs,
    async close() {
      closed = true
      stopListening()
      waker.wake()
      await running
      await lease.release().catch((error: unknown) => {
        logger.debug('the relay lease was not given up; it runs out by itself', { error: describeError(error) })
      })
    },
  }
}

/** Resolves true when none of the events waits in the outbox any more (each is on the log), false after `timeoutMs`. */
export async function waitUntilRelayed(options: {
  tables: TablesPort
  eventIds: readonly string[]
  timeoutMs: number
}): Promise<boolean> {
  const { tables, eventIds, timeoutMs } = options
  const deadlineMs = performance.now() + timeoutMs
  const waker = createWaker()
  const stopListening = tables.listen(RELAYED_CHANNEL, waker.wake)
  const statement = {
    sql: `SELECT event_id FROM hub_outbox WHERE event_id IN (${eventIds.map(() => '?').join(', ')}) LIMIT 1`,
    parameters: eventIds,
  }
  try {
    while ((await tables.query(statement)).length > 0) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) return false
      await waker.wait(Math.min(leftMs, STANDBY_POLL_MS))
    }
    return true
  } finally {
    stopListening()
  }
}

/** Neighbouring rows of one topic become one append; commit order holds across topics too. */
function toRuns(rows: readonly Row[]): { topic: string; appends: LogAppend[] }[] {
  const runs: { topic: string; appends: LogAppend[] }[] = []
  for (const row of rows) {
    const topic = String(row['topic'])
    const append = { key: String(row['event_key']), value: Buffer.from(String(row['event'])) }
    const last = runs.at(-1)
    if (last?.topic === topic) last.appends.push(append)
    else runs.push({ topic, appends: [append] })
  }
  return runs
}
