import type { TablesPort } from '../../engines/tables/index.ts'
import { type Clock, createQueue, describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { type LetterToAdd, toLetterId } from './dead-letters/rows.ts'
import type { Decision } from './decide.ts'
import type { Decoder } from './decode.ts'
import type { Item } from './item.ts'
import type { Lanes } from './lanes.ts'
import { dueStatement, keysStatement, type ParkedRow, parseParkedRow, toParkedRow } from './parked-rows.ts'
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
  hasRoom(): boolean
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
}

export function createParking(options: {
  subscription: string
  tables: TablesPort
  writer: ParkedWriter
  decoder: Decoder
  lanes: Lanes<Item>
  headsMax: number
  limits: Pick<Limits, 'hubParkedMax'>
  clock: Clock
  logger: Logger
  /** Something became due, or a key free. */
  onChange: () => void
}): Parking {
  const { subscription, tables, writer, decoder, lanes, headsMax, limits, clock, logger, onChange } = options
  const counts = new Map<string, number>()
  /** Of each key, what is counted and not in the tables yet. */
  const unwritten = new Map<string, number>()
  const heads = createQueue<Item>()
  /** By delivery id: loaded and not settled. */
  const loaded = new Set<string>()
  let total = 0
  let unwrittenEvents = 0
  let unwrittenBytes = 0
  let isLoading = false
  let isReady = false

  const setCount = (key: string, count: number): void => {
    const before = counts.get(key) ?? 0
    const after = Math.max(0, count)
    total += after - before
    if (after === 0) {
      counts.delete(key)
      lanes.unblock(key)
    } else {
      counts.set(key, after)
      if (before === 0) lanes.block(key)
    }
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
  /** Its row is gone. */
  const forget = ({ key, deliveryId }: Pick<Item, 'key' | 'deliveryId'>): void => {
    loaded.delete(deliveryId)
    add(key, -1)
    if (counts.has(key)) sweep()
    onChange()
  }
  const bury = (row: ParkedRow, death: Death, onWritten: () => void): void => {
    const letter = toLetter(subscription, row, { ...death, nowMs: clock.nowMs() })
    writer.write({ kind: 'dead', letter, item: row }, onWritten)
  }

  const look = async (): Promise<void> => {
    const rows = await tables.query(keysStatement(subscription))
    const found = new Map(rows.map((row) => [String(row['event_key']), Number(row['events'])]))
    for (const key of [...counts.keys(), ...found.keys()])
      setCount(key, (found.get(key) ?? 0) + (unwritten.get(key) ?? 0))
  }
  const load = async (): Promise<void> => {
    const max = headsMax + loaded.size
    const rows = await tables.query(dueStatement(subscription, { nowMs: clock.nowMs(), max }))
    for (const row of rows.map(parseParkedRow)) {
      if (loaded.has(row.deliveryId) || heads.size() >= headsMax) continue
      loaded.add(row.deliveryId)
      const value = Buffer.from(row.event)
      const decoded = await decoder.decode({ ...row, value })
      if (decoded) heads.push(toHead(row, decoded, value.byteLength))
      else bury(row, UNREADABLE, () => forget(row))
    }
  }
  const sweep = (): void => {
    if (total === 0 || isLoading || heads.size() > 0) return
    isLoading = true
    load()
      .catch((error: unknown) => logger.warn('parked events cannot be read', { error: describeError(error) }))
      .finally(() => {
        isLoading = false
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
    hasRoom: () => total < limits.hubParkedMax,
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
      writer.write({ kind: 'retry', row, nextAtMs }, () => void loaded.delete(deliveryId))
    },
    remove: (item, onWritten) =>
      writer.write({ kind: 'remove', item }, () => {
        onWritten()
        forget(item)
      }),
    bury(item, decision, onWritten) {
      bury(toParkedRow(item), decision, () => {
        onWritten()
        if (item.isParked) forget(item)
      })
    },
    release: (item) => void loaded.delete(item.deliveryId),
    takeHead() {
      for (let head = heads.shift(); head; head = heads.shift()) {
        if (lanes.occupy(head.key)) return head
        // Its lane is busy with one that was given before it was parked; it stays due.
        loaded.delete(head.deliveryId)
      }
      return null
    },
    sweep,
  }
}

type Death = { readonly attempts: number; readonly code: string; readonly reason: string }

const UNREADABLE: Death = {
  attempts: 0,
  code: 'event-invalid',
  reason: 'what was parked is no event that its schema takes any more; the log of the bus says what is wrong',
}

type Decoded = { readonly event: Item['event']; readonly kept: Item['event'] }

function toHead(row: ParkedRow, { event, kept }: Decoded, bytes: number): Item {
  const { deliveryId, key, topic, partition, offset, replay } = row
  const { attempts, firstFailedAtMs, appendedAtMs, agedFromMs, letter } = row
  return {
    ...{ deliveryId, key, bytes, kept, replay, attempts, firstFailedAtMs, appendedAtMs, agedFromMs, letter },
    event: replay === null ? event : { ...event, replayid: replay },
    position: { topic, partition, offset },
    isParked: true,
    next: null,
    mark: null,
    onSettled: null,
  }
}

function toLetter(subscription: string, row: ParkedRow, death: Death & { readonly nowMs: number }): LetterToAdd {
  const event: unknown = JSON.parse(row.event)
  const { id, type } = event as { id: string; type: string } // an event was written there
  return {
    id: toLetterId(subscription, row.deliveryId, row.letter),
    kind: 'delivery',
    name: subscription,
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
