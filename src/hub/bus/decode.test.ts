import { expect, test } from 'bun:test'
import { z } from 'zod'
import { type LogFields, type Logger, silentLogger } from '../../kernel/index.ts'
import { createRegistry } from '../registry/index.ts'
import { createDecoder } from './decode.ts'
import { toBytes } from './item.ts'

const signal = new AbortController().signal
const registry = createRegistry({
  'com.example.sum.v1': { topic: 'sums', data: z.object({ n: z.int() }) },
  'com.example.sum.v2': {
    topic: 'sums',
    data: z.object({ sum: z.int() }),
    upcasts: { from: 'com.example.sum.v1', upcast: (data) => ({ sum: (data as { n: number }).n }) },
  },
})
const toRecord = (type: string, more: object) => {
  const event = { specversion: '1.0', id: 'e', source: 's', type, subject: 'k', time: '2026-11-21T12:00:00Z', ...more }
  return { topic: 'sums', partition: 0, offset: 7, value: Buffer.from(JSON.stringify(event)) }
}
const CLAIMED = {
  datacontenttype: 'application/json',
  ...{ dataref: 'claims/2026-11-21/x', datasize: 700, datadigest: `sha-256=${'0'.repeat(64)}` },
}

test('an older event whose data is behind a claim is given by value, and counts with its data', async () => {
  const loadClaim = async (): Promise<Uint8Array> => Buffer.from('{"n":3}')
  const decoder = createDecoder({ registry, loadClaim, logger: silentLogger, retryMs: 1 })
  const asked: string[] = []
  const isWanted = (envelope: { readonly type: string }): boolean => asked.push(envelope.type) > 0
  const older = await decoder.decode(toRecord('com.example.sum.v1', CLAIMED), { signal, isWanted })
  expect(older?.event).toMatchObject({ type: 'com.example.sum.v2', data: { sum: 3 } })
  expect(older?.kept.dataref).toBe(CLAIMED.dataref)
  expect(older && toBytes(100, older)).toBe(800)
  const newest = await decoder.decode(toRecord('com.example.sum.v2', CLAIMED), { signal, isWanted })
  expect(newest).toBeNull()
  expect(asked).toEqual(['com.example.sum.v2', 'com.example.sum.v2'])
})

test('a type that this release does not know is told once; what is wrong is told each time', () => {
  const told: LogFields[] = []
  const logger: Logger = { ...silentLogger, error: (_message, fields) => void told.push(fields ?? {}) }
  const decoder = createDecoder({ registry, loadClaim: () => Promise.reject(new Error('none')), logger, retryMs: 1 })
  const decode = (type: string, data: object) => decoder.decode(toRecord(type, { data }), { signal })
  for (const type of ['com.example.new.v1', 'com.example.new.v1', 'com.example.newer.v1'])
    expect(decode(type, {})).toBeNull()
  expect(told.map(({ error }) => String(error))).toEqual([
    expect.stringContaining('com.example.new.v1'),
    expect.stringContaining('com.example.newer.v1'),
  ])
  for (let n = 0; n < 2; n += 1) expect(decode('com.example.sum.v2', { sum: 'x' })).toBeNull()
  expect(told.length).toBe(4)
})
