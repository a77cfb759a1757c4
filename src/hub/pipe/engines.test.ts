import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { silentLogger, systemClock } from '../../kernel/index.ts'
import type { NewDeadLetter } from '../bus/dead-letter.ts'
import { createClaims } from '../claims/index.ts'
import { type ClaimBed, newDirectory, openClaimBed, TEST_LIMITS } from '../claims/testing.ts'
import { createProducer, createRecordAppender, createRecordOpener, type RecordAppender } from '../producer/index.ts'
import { parseEvent } from '../registry/index.ts'
import { createPipe, type Pipe } from './create-pipe.ts'
import { opaque } from './decode.ts'
import { definePipe, type PipeDefinition } from './define-pipe.ts'
import { IMAGE_ADDED, pricePipe, RAW_TOPIC, readAll, testRegistry, toPrice } from './testing.ts'

// The pipe between the hub's own record appender and producer, on the embedded log, tables and objects.
let bed: ClaimBed
let appender: RecordAppender
let run: (definition: PipeDefinition) => Pipe
let remove: () => void
const letters: NewDeadLetter[] = []
const pipes: Pipe[] = []

beforeEach(async () => {
  const home = newDirectory()
  remove = home.remove
  bed = await openClaimBed(home.directory)
  const { log, objects, tables } = bed
  const parts = { limits: TEST_LIMITS, clock: systemClock, logger: silentLogger }
  const claims = createClaims({ objects, tables, ...parts })
  const producer = createProducer({ log, registry: testRegistry, claims, source: 'control', ...parts })
  appender = createRecordAppender({ log, claims, ...parts })
  run = (definition) => {
    const pipe = createPipe({
      definition,
      log,
      registry: testRegistry,
      publishEvents: producer.publish,
      addDeadLetters: async (added) => void letters.push(...added),
      openRecord: createRecordOpener({ claims, ...parts }),
      ...parts,
    })
    pipes.push(pipe)
    return pipe
  }
})
afterEach(async () => {
  for (const pipe of pipes.splice(0)) await pipe.close()
  letters.length = 0
  await bed.close()
  remove()
})

const publishedOn = async (topic: string) =>
  (await readAll(bed.log, topic)).map(({ value }) => parseEvent(testRegistry, value))

const images = definePipe({
  name: 'images',
  from: { topic: RAW_TOPIC },
  decode: opaque,
  schema: z.object({ headers: z.object({ type: z.string() }) }),
  transform: ({ headers }) => headers,
  to: { type: IMAGE_ADDED, payload: { contentType: ({ type }) => type } },
})

test('an opaque payload: the event refers to the object that the record refers to; a small one is put into an object', async () => {
  const large = Buffer.alloc(600_000, 7)
  const small = Buffer.from('a small image')
  const headers = { type: 'image/png' }
  await appender.append(RAW_TOPIC, [
    { key: 'large', headers, body: large },
    { key: 'small', headers, body: small },
    { key: 'bad', headers: { type: 'no media type' }, body: small },
  ])
  await run(images).caughtUp({ timeoutMs: 5_000 })

  const events = await publishedOn('images')
  expect(events.map(({ subject, datacontenttype }) => [subject, datacontenttype])).toEqual([
    ['large', 'image/png'],
    ['small', 'image/png'],
  ])
  for (const [at, body] of [large, small].entries()) {
    const { dataref, datasize, datadigest, data } = events[at] ?? {}
    expect(data).toBeUndefined()
    expect(datasize).toBe(body.byteLength)
    expect(datadigest).toBe(`sha-256=${createHash('sha256').update(body).digest('hex')}`)
    expect(Buffer.from((await bed.objects.read(dataref ?? '')) ?? []).equals(body)).toBe(true)
  }
  // One object for the large one, and one for the small one that went through: nothing is copied, nothing left behind.
  expect(await bed.objects.list('claims/')).toHaveLength(2)
  expect(letters.map(({ key, code, path }) => [key, code, path])).toEqual([
    ['bad', 'event-invalid', '/datacontenttype'],
  ])
})

test('a large record of JSON is loaded, checked and made into an event; a damaged one is refused with its claim', async () => {
  const items = Array.from({ length: 40_000 }, (_, n) => ({ price: n / 100 }))
  const body = Buffer.from(JSON.stringify({ n: 1, items }))
  expect(body.byteLength).toBeGreaterThan(TEST_LIMITS.hubClaimBytesMin)
  await appender.append(RAW_TOPIC, [
    { key: 'a', body },
    { key: 'b', body },
    { key: 'c', body: toPrice(3) },
  ])
  const [, second] = await readAll(bed.log, RAW_TOPIC)
  const { ref } = JSON.parse(second?.headers['tentpole-claim'] ?? '{}') as { ref: string }
  await bed.objects.delete(ref)
  await bed.objects.put(ref, Buffer.alloc(body.byteLength, 65))
  await run(pricePipe()).caughtUp({ timeoutMs: 5_000 })

  const events = await publishedOn('prices')
  expect(events.map(({ subject }) => subject).toSorted()).toEqual(['a', 'c'])
  const made = events.find(({ subject }) => subject === 'a')
  expect(made?.datacontenttype).toBe('application/json')
  const data = JSON.parse(Buffer.from((await bed.objects.read(made?.dataref ?? '')) ?? []).toString())
  expect(data).toEqual({ n: 1, items: items.map(({ price }) => ({ cents: Math.round(price * 100) })) })
  expect(letters).toMatchObject([{ key: 'b', code: 'payload-missing', payload: { ref, size: body.byteLength } }])
})
