import { z } from 'zod'
import type { Registry } from '../../contracts/index.ts'
import { type Clock, DEFAULT_LIMITS, type Limits, silentLogger, systemClock } from '../../kernel/index.ts'
import { type Claims, createClaims } from '../claims/index.ts'
import { type ClaimBed, newDirectory, openClaimBed } from '../claims/testing.ts'
import { createRegistry } from '../registry/index.ts'
import { createProducer, type Producer } from './producer.ts'
import { createRecordAppender, createRecordOpener, type OpenedRecord, type RecordAppender } from './records.ts'

export type ProducerBed = ClaimBed & {
  readonly registry: Registry
  readonly claims: Claims
  readonly producer: Producer
  readonly records: RecordAppender
  readonly openRecord: (record: { headers: Readonly<Record<string, string>>; value: Uint8Array }) => OpenedRecord
  remove(): Promise<void>
}

export const testRegistry: Registry = createRegistry({
  'com.example.order.placed.v1': {
    topic: 'orders',
    data: z.object({ orderId: z.string(), lines: z.array(z.object({ sku: z.string(), price: z.number() })) }),
  },
  'com.example.note.v1': { topic: 'notes', data: z.object({ text: z.string() }) },
  'com.example.shout.v1': { topic: 'notes', data: z.object({ text: z.string().overwrite((text) => `${text}!`) }) },
  'com.example.film.v1': { topic: 'films', data: null, contentTypes: ['video/mp4'] },
})

/** Everything a producer needs, real, in a directory that goes with it; `change` puts itself between it and the engines. */
export async function openProducerBed(
  options: { limits?: Partial<Limits>; clock?: Clock; change?: (bed: ClaimBed) => Partial<ClaimBed> } = {},
): Promise<ProducerBed> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const { directory, remove } = newDirectory()
  const opened = await openClaimBed(directory, limits)
  const bed = { ...opened, ...options.change?.(opened) }
  const parts = { ...bed, limits, clock: options.clock ?? systemClock, logger: silentLogger, registry: testRegistry }
  const claims = createClaims(parts)
  return {
    ...opened,
    registry: testRegistry,
    claims,
    producer: createProducer({ ...parts, claims, source: 'test' }),
    records: createRecordAppender({ ...parts, claims }),
    openRecord: createRecordOpener({ claims, limits }),
    async remove() {
      await opened.close()
      remove()
    },
  }
}
