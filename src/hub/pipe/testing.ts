import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { EventDefinitions, Registry } from '../../contracts/index.ts'
import { type LogPort, type LogRecord, openEmbeddedLog } from '../../engines/log/index.ts'
import { DEFAULT_LIMITS, Fault, type Limits, silentLogger, systemClock } from '../../kernel/index.ts'
import type { AddDeadLetters, NewDeadLetter } from '../bus/dead-letter.ts'
import { CLAIM_HEADER, type Claim, parseClaimHeader } from '../claims/claim.ts'
import { createRegistry } from '../registry/create-registry.ts'
import { createPipe, type Pipe, type PipeOptions } from './create-pipe.ts'
import { decodeJson } from './decode.ts'
import { definePipe, type PipeDefinition } from './define-pipe.ts'
import type { OpenRecord, PipeEvent, PublishEvents } from './ports.ts'

/** For tests of pipes: prices of a shop that come in as JSON, by the shop's name. */
export const RAW_TOPIC = 'raw-prices'
export const PRICE_CHANGED = 'com.example.price.changed.v1'
export const IMAGE_ADDED = 'com.example.image.added.v1'

const DEFINITIONS: EventDefinitions = {
  [PRICE_CHANGED]: {
    topic: 'prices',
    data: z.object({ n: z.int(), items: z.array(z.object({ cents: z.int().max(100_000) })) }),
  },
  [IMAGE_ADDED]: { topic: 'images', data: null },
}

export const testRegistry: Registry = createRegistry(DEFINITIONS)

export const priceSchema: z.ZodType<{ n: number; items: { price: number }[] }> = z.object({
  n: z.int(),
  items: z.array(z.object({ price: z.number() })),
})

export const pricePipe = (changes: Partial<PipeDefinition> = {}): PipeDefinition => ({
  ...definePipe({
    name: 'prices',
    from: { topic: RAW_TOPIC },
    decode: decodeJson,
    schema: priceSchema,
    transform: ({ n, items }) => {
      if (n === -1) throw new Error('a price list without a number')
      return { n, items: items.map(({ price }) => ({ cents: Math.round(price * 100) })) }
    },
    to: { type: PRICE_CHANGED },
  }),
  ...changes,
})

export const toPrice = (n: number, price = 1.5): Uint8Array => Buffer.from(JSON.stringify({ n, items: [{ price }] }))

export type PipeBench = {
  readonly log: LogPort
  readonly letters: Map<string, NewDeadLetter>
  /** What lies in `objects`, by reference. */
  readonly objects: Map<string, Uint8Array>
  run(definition: PipeDefinition, options?: Partial<Omit<PipeOptions, 'limits'>> & { limits?: Partial<Limits> }): Pipe
  published(topic?: string): Promise<PipeEvent[]>
  close(): Promise<void>
}

/** A pipe on the real embedded log; a producer that checks nothing, and dead letters in memory. */
export async function openPipeBench(
  directory: string = mkdtempSync(join(tmpdir(), 'tentpole-pipe-')),
): Promise<PipeBench> {
  const log = await openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
  const letters = new Map<string, NewDeadLetter>()
  const objects = new Map<string, Uint8Array>()
  const pipes: Pipe[] = []
  const addDeadLetters: AddDeadLetters = async (added) => {
    for (const letter of added) if (!letters.has(letter.id)) letters.set(letter.id, letter)
  }
  return {
    log,
    letters,
    objects,
    run(definition, options = {}) {
      const pipe = createPipe({
        definition,
        log,
        registry: testRegistry,
        publishEvents: publishTo(log),
        addDeadLetters,
        openRecord: openFrom(objects),
        clock: systemClock,
        logger: silentLogger,
        ...options,
        limits: { ...DEFAULT_LIMITS, hubPipeRetryMinMs: 1, hubPipeRetryMaxMs: 5, ...options.limits },
      })
      pipes.push(pipe)
      return pipe
    },
    async published(topic = 'prices') {
      const records = await readAll(log, topic)
      return records.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as PipeEvent) // what publishTo wrote
    },
    async close() {
      await Promise.all(pipes.map((pipe) => pipe.close()))
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export const publishTo =
  (log: LogPort): PublishEvents =>
  async (events) => {
    for (const topic of new Set(events.map(({ type }) => topicOf(type)))) {
      const own = events.filter(({ type }) => topicOf(type) === topic)
      await log.append(
        topic,
        own.map((event) => ({ key: event.subject, value: Buffer.from(JSON.stringify(event)) })),
      )
    }
  }

const topicOf = (type: string): string => DEFINITIONS[type]?.topic ?? 'elsewhere'

export const openFrom =
  (objects: ReadonlyMap<string, Uint8Array>): OpenRecord =>
  (record) => {
    const header = record.headers[CLAIM_HEADER]
    const claim = header === undefined ? null : parseClaimHeader(header)
    return { claim, bytes: async () => (claim ? takeObject(objects, claim) : record.value) }
  }

function takeObject(objects: ReadonlyMap<string, Uint8Array>, claim: Claim): Uint8Array {
  const bytes = objects.get(claim.ref)
  if (!bytes) throw new Fault('claim-missing', `there is no object ${claim.ref}`)
  return bytes
}

export async function readAll(log: LogPort, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for (let from = (await log.bounds(topic))[0]?.first ?? 0; ; ) {
    const more = await log.read({ topic, from, max: 1_000 })
    const last = more.at(-1)
    if (!last) return records
    records.push(...more)
    from = last.offset + 1
  }
}
