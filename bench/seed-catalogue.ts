import { link, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CloudEvent, EVENTS, type EventType } from '../src/contracts/index.ts'
import type { LogPort } from '../src/engines/log/index.ts'
import { OBJECT_SUFFIX } from '../src/engines/objects/keys.ts'
import { createPublisher, decodeEvent, toEvent } from '../src/hub/index.ts'
import { createShortId } from '../src/kernel/index.ts'

const SOURCE = 'bench'
const TOPIC = EVENTS['tentpole.title.planned.v1'].topic
const READ_MAX = 1_000
/** Copies whose events are put on the log at once: well below what a batch may weigh. */
const COPIES_PER_APPEND = 10

/** The new titles, in the order home shows them, and what the segments of all of them weigh. */
export type Seeded = { readonly ids: readonly string[]; readonly bytes: number }

/**
 * Makes a large catalogue of a few published titles: each is copied until there are `copies` new ones. A copy's events are those of its
 * original, told of an id of its own, with object keys of its own; its objects are further names of the same files. All are older than any original. So to log, cells and
 * edge it is a title like any other: no cache can know its bytes from another's. Resolves when their events are durable.
 * `except` is not copied. Throws when no title is published.
 */
export async function seedCatalogue(options: {
  readonly log: LogPort
  readonly objectsDirectory: string
  readonly copies: number
  readonly except: string | null
}): Promise<Seeded> {
  const { log, objectsDirectory, copies, except } = options
  const originals = (await readPublished(log)).filter(({ id }) => id !== except)
  if (originals.length === 0) throw new Error('expected published titles to copy, got none; publish some before')
  const oldestMs = Math.min(...originals.flatMap(({ events }) => events.flatMap(createdAtMsOf)))
  const publisher = createPublisher({ log, source: SOURCE })
  const ids: string[] = []
  let bytes = 0
  let events: CloudEvent[] = []
  for (let at = 0; at < copies; at++) {
    const original = originals[at % originals.length] as Original // the remainder is below the length
    const id = createShortId()
    await linkObjects({ objectsDirectory, original, id })
    const told = { name: `Title ${at + 1}`, createdAtMs: oldestMs - 1 - at }
    events.push(...original.events.map((event) => toCopy(event, id, told)))
    ids.push(id)
    bytes += original.bytes
    if (ids.length % COPIES_PER_APPEND > 0 && ids.length < copies) continue
    await publisher.publishMany(events)
    events = []
  }
  return { ids, bytes }
}

type Original = {
  readonly id: string
  readonly events: readonly CloudEvent[]
  readonly objectKeys: readonly string[]
  /** Of its segments. */
  readonly bytes: number
}

async function readPublished(log: LogPort): Promise<Original[]> {
  const events = new Map<string, CloudEvent[]>()
  for await (const event of readEvents(log)) {
    const ofTitle = events.get(event.subject)
    if (ofTitle) ofTitle.push(event)
    else events.set(event.subject, [event])
  }
  return [...events]
    .filter(([, all]) => has(all, 'tentpole.title.published.v1') && !has(all, 'tentpole.title.withdrawn.v1'))
    .map(([id, all]) => ({ id, events: all, objectKeys: objectKeysIn(all), bytes: bytesIn(all) }))
}

async function* readEvents(log: LogPort): AsyncGenerator<CloudEvent> {
  for (const [partition, { first, end }] of Object.entries(await log.bounds(TOPIC))) {
    let from = first
    while (from < end) {
      const records = await log.read({ topic: TOPIC, partition: Number(partition), from, max: READ_MAX })
      for (const record of records) yield decodeEvent(record)
      const last = records.at(-1)
      if (!last) break
      from = last.offset + 1
    }
  }
}

function has(events: readonly CloudEvent[], type: EventType): boolean {
  return events.some((event) => event.type === type)
}

function objectKeysIn(events: readonly CloudEvent[]): string[] {
  const named = events.flatMap((event) => [...JSON.stringify(event.data).matchAll(/"objectKey":"([^"]+)"/g)])
  return [...new Set(named.map(([, key]) => key ?? ''))]
}

function createdAtMsOf({ data }: CloudEvent): number[] {
  return 'metadata' in data ? [data.metadata.createdAtMs] : []
}

/** An event that comes again names the same keys. */
function bytesIn(events: readonly CloudEvent[]): number {
  const byKey = new Map<string, number>()
  for (const event of events)
    if (event.type === 'tentpole.title.segments.v1')
      for (const { objectKey, bytes } of event.data.segments) byKey.set(objectKey, bytes)
  return [...byKey.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** Everything of a title has its id in it, its objects' keys too. */
function toCopy(event: CloudEvent, id: string, told: { name: string; createdAtMs: number }): CloudEvent {
  const data = JSON.parse(JSON.stringify(event.data).replaceAll(event.subject, id)) as typeof event.data // toEvent checks it
  if ('metadata' in data) data.metadata = { ...data.metadata, ...told }
  return toEvent(event.type, id, data, { source: SOURCE }) as CloudEvent
}

/**
 * By further names in the directory that is the embedded engine, not by its puts: each of those waits for the disk six times, and tens
 * of thousands of them would take longer than what is to be measured.
 */
async function linkObjects(options: { objectsDirectory: string; original: Original; id: string }): Promise<void> {
  const { objectsDirectory, original, id } = options
  const pathOf = (key: string): string => join(objectsDirectory, 'data', key + OBJECT_SUFFIX)
  await Promise.all(
    original.objectKeys.map(async (key) => {
      const path = pathOf(key.replaceAll(original.id, id))
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await link(pathOf(key), path)
    }),
  )
}
