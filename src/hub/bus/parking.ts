import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, createQueue, describeError, faultCode, type Limits, type Logger } from '../../kernel/index.ts'
import { type LetterToAdd, toLetterId } from './dead-letters/rows.ts'
import type { Decision } from './decide.ts'
import type { Decoded, Decoder } from './decode.ts'
import { type Item, toBytes } from './item.ts'
import type { Lanes } from './lanes.ts'
import {
  dueStatement,
  keysStatement,
  type ParkedOf,
  type ParkedRow,
  parseParkedRow,
  toParkedRow,
} from './parked-rows.ts'
import type { ParkedWriter } from './parked-writer.ts'

/**
 * What one subscription has parked: events that failed and what came behind them of their keys. The rows are in `tables`; here are
 * the keys, whose lanes are blocked meanwhile, and the few events that are due.
 */
export type Parking = {
  /** Looks at the tables again: at the start, and when somebody else has parked something. */
  look(): void
  /** False until the first look: no key is known to be free before. */
  isReady(): boolean
  has(key: string): boolean
  /** For events that may have to be parked, and for letters, should they die. */
  hasRoom(): boolean
  /** Why it has none. */
  fullOf(): string | null
  /** Rows, and how many keys they are of. */
  events(): number
  keys(): number
  /** What is not written yet, in events and bytes. */
  unwritten(): { readonly events: number; readonly bytes: number }
  /** After its first failure; `onWritten` when it is durable. */
  park(item: Item, decision: Extract<Decision, { kind: 'park' }>, onWritten: () => void): void
  /** Behind what is parked of its key, without a try. */
  follow(item: Item, onWritten: () => void): void
  retry(item: Item, decision: Extract<Decision, { kind: 'park' }>): void
  remove(item: Item, onWritten: () => void): void
  /** A dead letter of it, whether it was parked or not. */
  bury(item: Item, decision: Extract<Decision, { kind: 'dead' }>, onWritten: () => void): void
  /** Not tried: it stays due. */
  release(item: Item): void
  /** One that is due and whose lane was free: the lane is busy then. */
  takeHead(): Item | null
  /** Loads what is due. */
  sweep(): void
  /** For the writer. */
  recount(tell: () => void): Promise<void>
  /** Loads nothing any more. */
  close(): void
}

export function createParking(options: {
  of: ParkedOf
  tables: TablesPort
  writer: ParkedWriter
  decoder: Decoder
  lanes: Lanes<Item>
  headsMax: number
  limits: Pick<Limits, 'hubParkedMax' | 'hubClaimLoadMs' | 'hubDeadLettersOpenMax'>
  clock: Clock
  logger: Logger
  /** Something became due, or a key free. */
  onChange: () => void
  /** Something of this key was parked, by whomever. */
  onBlocked: (key: string) => void
}): Parking {
  const { of, tables, writer, decoder, lanes, headsMax, limits, clock, logger, onChange, onBlocked } = options
  const counts = new Map<string, number>()
  /** Of each key, what is counted and not in the tables yet. */
  const unwritten = new Map<string, number>()
  const heads = createQueue<Item>()
  /** By delivery id: loaded and not settled. */
  const loaded = new Set<string>()
  /** While rows are read: what was settled since may be among them as it was before. */
  const settledMeanwhile = new Set<string>()
  const closing = new AbortController()
  const on = { signal: closing.signal, timeoutMs: limits.hubClaimLoadMs }
  let isRecounting = false
  /** Dead letters that are open: in the tables, and on the way there. */
  let openLetters = 0
  let unwrittenLetters = 0
  let total = 0
  let unwrittenEvents = 0
  let unwrittenBytes = 0
  let isLoading = false
  let isReady = false

  const setCount = (key: string, count: number): void => {
    const before = counts.get(key) ?? 0
    const after = Math.max(0, count)
    total += after - before
    if (after === 0 && !isRecounting) {
      counts.delete(key)
      lanes.unblock(key)
      return
    }
    const isNew = !counts.has(key)
    counts.set(key, after)
    if (!isNew) return
    lanes.block(key)
    onBlocked(key)
  }
  const add = (key: string, by: number): void => setCount(key, (counts.get(key) ?? 0) + by)

  const insert = (item: Item, row: ParkedRow, nextAtMs: number, onWritten: () => void): void => {
    const { key, bytes } = item
    add(key, 1)
    unwritten.set(key, (unwritten.get(key) ?? 0) + 1)
    unwrittenEvents += 1
    unwrittenBytes += bytes
    writer.write({ kind: 'insert', row, nextAtMs }, (isNew) => {
      const left = (unwritten.get(key) ?? 1) - 1
      if (left === 0) unwritten.delete(key)
      else unwritten.set(key, left)
      unwrittenEvents -= 1
      unwrittenBytes -= bytes
      if (!isNew) add(key, -1)
      onWritten()
      onChange()
    })
  }
  const unload = (deliveryId: string): void => {
    loaded.delete(deliveryId)
    if (isLoading) settledMeanwhile.add(deliveryId)
  }
  /** Its row is gone. */
  const forget = ({ key, deliveryId }: Pick<Item, 'key' | 'deliveryId'>): void => {
    unload(deliveryId)
    add(key, -1)
    if (counts.has(key)) sweep()
    onChange()
  }
  /** Until the letter is written it takes as much room as what waits. */
  const bury = (row: ParkedRow, death: Death & { readonly bytes: number }, onWritten: () => void): void => {
    const letter = toLetter(of, row, { ...death, nowMs: clock.nowMs() })
    unwrittenEvents += 1
    unwrittenBytes += death.bytes
    unwrittenLetters += 1
    writer.write({ kind: 'dead', letter, item: row }, () => {
      unwrittenEvents -= 1
      unwrittenBytes -= death.bytes
      unwrittenLetters -= 1
      openLetters += 1
      onWritten()
    })
  }

  type Found = { readonly keys: ReadonlyMap<string, number>; readonly openLetters: number }
  const find = async ({ hasNoLetters }: { hasNoLetters: boolean }): Promise<Found> => {
    const [rows, letters] = await Promise.all([
      tables.query(keysStatement(of)),
      hasNoLetters ? [] : tables.query(openLettersStatement(of)),
    ])
    return {
      keys: new Map(rows.map((row) => [String(row['event_key']), Number(row['events'])])),
      openLetters: Number(letters[0]?.['letters'] ?? 0),
    }
  }
  const apply = (found: Found): void => {
    openLetters = found.openLetters
    for (const key of new Set([...counts.keys(), ...found.keys.keys()]))
      setCount(key, (found.keys.get(key) ?? 0) + (unwritten.get(key) ?? 0))
  }
  /** Nobody else makes letters: where there were none, none have to be counted. */
  const look = async (): Promise<void> => apply(await find({ hasNoLetters: isReady && openLetters === 0 }))
  const fullOf = (): string | null => {
    if (total >= limits.hubParkedMax) return `${total} events are parked, which is as many as may be`
    const letters = openLetters + unwrittenLetters
    if (letters < limits.hubDeadLettersOpenMax) return null
    return `${letters} dead letters are open, which is as many as may be; redrive or discard some`
  }
  const load = async (): Promise<void> => {
    const max = headsMax + loaded.size
    const rows = await tables.query(dueStatement(of, { nowMs: clock.nowMs(), max }))
    for (const row of rows.map(parseParkedRow)) {
      const { deliveryId } = row
      if (loaded.has(deliveryId) || settledMeanwhile.has(deliveryId) || heads.size() >= headsMax) continue
      loaded.add(deliveryId)
      await loadHead(row).catch((error: unknown) => {
        // It stays due.
        loaded.delete(deliveryId)
        if (faultCode(error) !== 'claim-late') throw error
      })
    }
  }
  const loadHead = async (row: ParkedRow): Promise<void> => {
    const value = Buffer.from(row.event)
    const bytes = value.byteLength
    const decoded = await decoder.decode({ ...row, value }, on)
    if (decoded) heads.push(toHead(row, decoded, bytes))
    else bury(row, { ...UNREADABLE, bytes }, () => forget(row))
  }
  const sweep = (): void => {
    if (total === 0 || isLoading || heads.size() > 0 || closing.signal.aborted) return
    isLoading = true
    load()
      .catch((error: unknown) => {
        if (!closing.signal.aborted) logger.warn('parked events cannot be read', { error: describeError(error) })
      })
      .finally(() => {
        isLoading = false
        settledMeanwhile.clear()
        if (heads.size() > 0) onChange()
      })
  }

  return {
    look: () =>
      writer.write({ kind: 'look', look }, () => {
        isReady = true
        sweep()
        onChange()
      }),
    isReady: () => isReady,
    has: (key) => counts.has(key),
    hasRoom: () => fullOf() === null,
    fullOf,
    events: () => total,
    keys: () => counts.size,
    unwritten: () => ({ events: unwrittenEvents, bytes: unwrittenBytes }),
    park(item, { attempts, reason, nextAtMs }, onWritten) {
      const row = { ...toParkedRow(item), attempts, reason, firstFailedAtMs: item.firstFailedAtMs ?? clock.nowMs() }
      insert(item, row, nextAtMs, onWritten)
    },
    follow: (item, onWritten) => insert(item, toParkedRow(item), clock.nowMs(), onWritten),
    retry(item, { attempts, reason, nextAtMs }) {
      const { deliveryId } = item
      const row = { deliveryId, attempts, reason, firstFailedAtMs: item.firstFailedAtMs ?? clock.nowMs() }
      writer.write({ kind: 'retry', row, nextAtMs }, () => unload(deliveryId))
    },
    remove: (item, onWritten) =>
      writer.write({ kind: 'remove', item }, () => {
        onWritten()
        forget(item)
      }),
    bury(item, decision, onWritten) {
      bury(toParkedRow(item), { ...decision, bytes: item.bytes }, () => {
        onWritten()
        if (item.isParked) forget(item)
      })
    },
    release: (item) => unload(item.deliveryId),
    takeHead() {
      for (let head = heads.shift(); head; head = heads.shift()) {
        if (lanes.occupy(head.key)) return head
        // Its lane is busy with one that was given before it was parked; it stays due.
        unload(head.deliveryId)
      }
      return null
    },
    sweep,
    async recount(tell) {
      const found = await find({ hasNoLetters: false })
      // No key is freed by what is told: that is known when all is counted.
      isRecounting = true
      try {
        tell()
      } finally {
        isRecounting = false
      }
      apply(found)
      onChange()
    },
    close: () => closing.abort(),
  }
}

function openLettersStatement({ name, generation }: ParkedOf): Statement {
  return {
    sql: "SELECT COUNT(*) AS letters FROM hub_dead_letters WHERE name = ? AND generation = ? AND state = 'open' AND kind = 'delivery'",
    parameters: [name, generation],
  }
}

type Death = { readonly attempts: number; readonly code: string; readonly reason: string }

const UNREADABLE: Death = {
  attempts: 0,
  code: 'event-invalid',
  reason: 'what was parked is no event that its schema takes any more; the log of the bus says what is wrong',
}

function toHead(row: ParkedRow, { event, kept }: Pick<Decoded, 'event' | 'kept'>, bytes: number): Item {
  const { deliveryId, key, topic, partition, offset, replay } = row
  const { attempts, firstFailedAtMs, appendedAtMs, agedFromMs, letter } = row
  return {
    ...{
      deliveryId,
      key,
      bytes: toBytes(bytes, { event, kept }),
      kept,
      replay,
      attempts,
      firstFailedAtMs,
      appendedAtMs,
      agedFromMs,
      letter,
    },
    event: replay === null ? event : { ...event, replayid: replay },
    position: { topic, partition, offset },
    isParked: true,
    next: null,
    mark: null,
    onSettled: null,
  }
}

function toLetter(of: ParkedOf, row: ParkedRow, death: Death & { readonly nowMs: number }): LetterToAdd {
  const event: unknown = JSON.parse(row.event)
  const { id, type } = event as { id: string; type: string } // an event was written there
  return {
    id: toLetterId(of, row.deliveryId, row.letter),
    kind: 'delivery',
    ...of,
    eventId: id,
    type,
    key: row.key,
    position: { topic: row.topic, partition: row.partition, offset: row.offset },
    code: death.code,
    reason: death.reason,
    path: null,
    attempts: Math.max(death.attempts, row.attempts),
    firstFailedAtMs: row.firstFailedAtMs ?? death.nowMs,
    headers: {},
    payload: Buffer.from(row.event),
    claimRef: row.claimRef,
    deliveryId: row.deliveryId,
    replay: row.replay,
    appendedAtMs: row.appendedAtMs,
  }
}
