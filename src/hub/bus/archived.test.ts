import { expect, test } from 'bun:test'
import { DEFAULT_LIMITS, Fault, type Limits, silentLogger } from '../../kernel/index.ts'
import { openArchiveBench, SMALL_LIMITS } from '../archive/testing.ts'
import { createRegistry, platformDefinitions } from '../registry/index.ts'
import { until } from '../testing.ts'
import { createBus } from './bus.ts'
import { createSubscriptions } from './subscriptions.ts'
import { definitions, FAST, publishTo, TYPE } from './testing.ts'

const EVENTS = 300

test('a subscription that begins behind what the log still has reads the archive, then the log, each event once and in order', async () => {
  const bench = await openArchiveBench()
  const limits: Limits = { ...DEFAULT_LIMITS, ...SMALL_LIMITS, hubBusSweepMs: 10 }
  const { log, tables, reader } = bench
  const registry = createRegistry(platformDefinitions, definitions)
  const events = Array.from({ length: EVENTS }, (_, n) => ({ key: `k${n % 7}`, n }))
  // In small steps, so that the log has segments to forget.
  for (let at = 0; at < 250; at += 10) await publishTo(log, events.slice(at, at + 10))
  await bench.archive('accounts', { trimmedTopics: ['accounts'] })
  expect((await log.bounds('accounts'))[0]?.first).toBeGreaterThan(50)

  const subscriptions = createSubscriptions({ tables, registry, log, past: reader, limits })
  const got: string[] = []
  const bus = createBus({
    ...{ log, tables, registry, past: reader, limits, owner: 'test', logger: silentLogger },
    loadClaim: () => Promise.reject(new Fault('claim-missing', 'no claims in this test')),
    targets: () => ({
      kind: 'function',
      description: 'a test',
      async deliver({ event: { id } }) {
        got.push(id)
        return { kind: 'done' }
      },
    }),
  })
  try {
    const pattern = { type: [TYPE] }
    await subscriptions.put({
      name: 'late',
      owner: null,
      pattern,
      target: { kind: 'function' },
      policy: FAST,
      start: 'beginning',
    })
    await publishTo(log, events.slice(250))
    await until('all of them are there', () => got.length >= EVENTS)
    expect(got.toSorted()).toEqual(events.map(({ key, n }) => `${key}-${n}`).toSorted())
    for (let key = 0; key < 7; key++) {
      const numbers = got.filter((id) => id.startsWith(`k${key}-`)).map((id) => Number(id.split('-')[1]))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  } finally {
    await bus.close()
    await bench.close()
  }
})
