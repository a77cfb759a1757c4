/**
 * Run by crash.test.ts: publishes payloads until it is killed. `STAGE` names where it stops for good: it says `reached` and
 * does nothing more. Without one it goes on and says each acknowledged claim on a line.
 */
import { DEFAULT_LIMITS, silentLogger, systemClock } from '../../kernel/index.ts'
import { claimOf, createClaims } from '../claims/index.ts'
import { type ClaimBed, openClaimBed, streamOf } from '../claims/testing.ts'
import { createProducer } from './producer.ts'
import { testRegistry } from './testing.ts'

const CALLERS = 4
const [directory = '', stage = ''] = process.argv.slice(2)
const bed = await openClaimBed(directory)

const stopForGood = async (): Promise<never> => {
  process.stdout.write('reached\n')
  setInterval(() => {}, 1_000)
  return new Promise(() => {})
}
/** Does it, then stops when the stage is this one. */
const stopAfter = async <T>(name: string, done: Promise<T>): Promise<T> => {
  const result = await done
  return name === stage ? stopForGood() : result
}

const { log, objects, tables } = bed
const stopping: Pick<ClaimBed, 'log' | 'objects' | 'tables'> = {
  log: { ...log, append: (topic, records) => stopAfter('appended', log.append(topic, records)) },
  objects: {
    ...objects,
    put: (key, body) => stopAfter('put', objects.put(key, body)),
    delete: (key) => stopAfter('deleted', objects.delete(key)),
  },
  tables: {
    ...tables,
    batch: (statements, options) => stopAfter(stageOf(statements[0]?.sql ?? ''), tables.batch(statements, options)),
  },
}
function stageOf(sql: string): string {
  if (sql.startsWith('INSERT INTO hub_claims')) return 'row'
  if (sql.startsWith('DELETE FROM hub_claims')) return 'forgotten'
  return sql.includes("SET state = 'condemned'") ? 'condemned' : 'marked'
}

const payload = Buffer.alloc(300_000, 'payload')
/** Of the stage `streaming`: half of it, and then nothing. */
function halfStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(payload.subarray(0, 150_000)),
    pull: stopForGood,
  })
}

const options = { ...stopping, limits: DEFAULT_LIMITS, clock: systemClock, logger: silentLogger }
const claims = createClaims(options)
const producer = createProducer({ ...options, claims, registry: testRegistry, source: 'crash' })

const publish = async (): Promise<void> => {
  const body = stage === 'streaming' ? halfStream() : streamOf(payload)
  const film = { type: 'com.example.film.v1', subject: 'f', payload: { body, contentType: 'video/mp4' } }
  for (const { event } of await producer.publish([film])) process.stdout.write(`${claimOf(event)?.ref}\n`)
}
const discard = async (): Promise<void> => {
  await claims.discard([await claims.put(payload, { bytesMax: payload.byteLength, eventId: 'e' })])
}
const work = async (): Promise<void> => {
  for (;;) await (['condemned', 'deleted', 'forgotten'].includes(stage) ? discard() : publish())
}
await Promise.all(Array.from({ length: stage === '' ? CALLERS : 1 }, work))
