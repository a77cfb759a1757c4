import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { LogRecord } from '../../engines/log/index.ts'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { CLAIM_HEADER } from '../claims/claim.ts'
import { type Processed, processRecord, tryOpen } from './process-record.ts'
import { openFrom, pricePipe, RAW_TOPIC, testRegistry } from './testing.ts'

const toRecord = (value: Uint8Array, headers: Record<string, string>, offset: number): LogRecord => ({
  topic: RAW_TOPIC,
  partition: 0,
  offset,
  appendedAtMs: 1_800_000_000_000,
  key: 'shop',
  headers,
  value,
})
const process = (record: LogRecord): Promise<Processed> =>
  processRecord(record, tryOpen(openFrom(new Map()), record), {
    definition: pricePipe(),
    registry: testRegistry,
    limits: DEFAULT_LIMITS,
    closed: new AbortController().signal,
    persist: (_, act) => act(),
  })

const price = fc.oneof(fc.double(), fc.string(), fc.constant(null))
const lookalike = fc.record({ n: fc.oneof(fc.integer(), price), items: fc.array(fc.record({ price })) })
const bytes = fc.oneof(
  fc.uint8Array(),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  lookalike.map((value) => Buffer.from(JSON.stringify(value))),
  lookalike.map((value) => Buffer.from(JSON.stringify({ ...value, ['__proto__']: { polluted: true } }))),
)
const headers = fc.dictionary(fc.oneof(fc.constant(CLAIM_HEADER), fc.string()), fc.oneof(fc.string(), fc.json()))

test('whatever the bytes and headers, a record becomes events or a refusal with a reason, the same each time', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, headers, fc.nat(), async (value, named, offset) => {
      const record = toRecord(value, named, offset)
      const first = await process(record)
      expect(await process(record)).toEqual(first)
      if (first.kind === 'refused') {
        expect(first.refusal.reason.length).toBeGreaterThan(0)
        expect(first.refusal.reason.length).toBeLessThanOrEqual(2_000)
        expect(first.refusal.path ?? '').toMatch(/^(\/.*)?$/s)
      } else if (first.kind === 'events')
        for (const { type, data } of first.events) expect(testRegistry.check(type, data).ok).toBe(true)
      else throw new Error('there is no filter that could have left it out')
      expect('polluted' in {}).toBe(false)
    }),
    { numRuns: 500 },
  )
})
