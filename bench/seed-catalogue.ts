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

/**
 * Makes a large catalogue of a few published titles: each is copied until there are `copies` new ones. A copy's events are those of its
 * original, told of an id of its own, with object keys of its own; its objects are further names of the same files. So to log, cells and
 * edge it is a title like any other: no cache can know its bytes from another's. Resolves with the new ids when their events are durable.
 * `except` is not copied. Throws when no title is published.
 */
export async function seedCatalogue(options: {
  readonly log: LogPort
  readonly objectsDirectory: string
  readonly copies: number
  readonly except: string | null
}): Promise<readonly string[]> {
  const { log, objectsDirectory, copies, except } = options
  const originals = (await readPublished(log)).filter(({ id }) => id !== except)
  if (originals.length === 0) throw new Error('expected published titles to copy, got none; publish some before')
  const publisher = createPublisher({ log, source: SOURCE })
  const ids: string[] = []
  let events: CloudEvent[] = []
  for (let at = 0; at < copies; at++) {
    const original = originals[at % originals.length] as Original // the remainder is below the length
    const id = createShortId()
    await linkObjects({ objectsDirectory, original, id })
    // Older than whatever is published next, and in an order of their own.
    events.push(...original.events.map((event) => toCopy(event, id, { name: `Title ${at + 1}`, olderByMs: at })))
    ids.push(id)
    if (ids.length % COPIES_PER_APPEND > 0 && ids.length < copies) continue
    await publisher.publishMany(events)
    events = []
  }
  return ids
}

type Original = { readonly id: string; readonly events: readonly CloudEvent[]; readonly objectKeys: readonly string[] }

async function readPublished(log: LogPort): Promise<Original[]> {
  const events = new Map<string, CloudEvent[]>()
  for await (const event of readEvents(log)) {
    const ofTitle = events.get(event.subject)
    if (ofTitle) ofTitle.push(event)
    else events.set(event.subject, [event])
  }
  return [...events]
    .filter(([, all]) => has(all, 'tentpole.title.published.v1') && !has(all, 'tentpole.title.withdrawn.v1'))
    .map(([id, all]) => ({ id, events: all, objectKeys: objectKeysIn(all) }))
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

/** Everything of a title has its id in it, its objects' keys too. */
function toCopy(event: CloudEvent, id: string, told: { name: string; olderByMs: number }): CloudEvent {
  const data = JSON.parse(JSON.stringify(event.data).replaceAll(event.subject, id)) as typeof event.data // toEvent checks it
  if ('metadata' in data) {
    const { name, olderByMs } = told
    data.metadata = { ...data.metadata, name, createdAtMs: data.metadata.createdAtMs - olderByMs }
  }
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
