import { afterEach, expect, test } from 'bun:test'
import { faultCode, silentLogger } from '../../kernel/index.ts'
import { createMatcher, parsePattern } from '../patterns/index.ts'
import { until } from '../testing.ts'
import { createDecoder } from './decode.ts'
import { toEnvelopePattern } from './envelope-pattern.ts'
import { type Bed, createAway, DONE, failed, openBed, TYPE, toClaimedRecord } from './testing.ts'

const BRANCH = 'com.example.branch.opened.v1'
let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})

test('closed while the data of an event is away: it is not passed over, and comes after the next start', async () => {
  const away = createAway()
  const got: string[] = []
  bed = await openBed({
    async deliver({ event: { id } }) {
      got.push(id)
      return DONE
    },
    bus: { loadClaim: away.loadClaim },
  })
  await bed.log.append('accounts', [toClaimedRecord('k', 1)])
  await bed.publish([{ key: 'k', n: 2 }])
  await bed.put('all')
  await until('it is behind', () => bed?.bus.places().get('all')?.isLive() === false)
  await bed.bus.close()
  const passed = await bed.tables.query({
    sql: "SELECT * FROM hub_positions WHERE topic = 'accounts' AND next_offset > 0",
  })
  expect(passed).toEqual([])
  expect(got).toEqual([])
  away.isBack = true
  bed.startBus()
  await until('both', () => got.length === 2)
  expect(got).toEqual(['k-1', 'k-2'])
})

test('closed while the data of a parked event is away: it stays parked and is no dead letter', async () => {
  const away = createAway()
  away.isBack = true
  bed = await openBed({
    deliver: async () => failed(),
    limits: { hubClaimLoadMs: 50 },
    bus: { loadClaim: away.loadClaim },
  })
  const { tables } = bed
  await bed.put('all', { policy: { attemptsMax: 100, backoffMinMs: 10, backoffMaxMs: 10 } })
  await bed.log.append('accounts', [toClaimedRecord('k', 1)])
  const attempts = async (): Promise<number> =>
    Number((await tables.query({ sql: 'SELECT attempts FROM hub_parked' }))[0]?.['attempts'] ?? 0)
  await until('parked', async () => (await attempts()) > 1)
  away.isBack = false
  let last = -1
  await until('not tried any more', async () => {
    const before = last
    last = await attempts()
    await new Promise((resolve) => setTimeout(resolve, 60))
    return last === before
  })
  await bed.bus.close()
  expect(await tables.query({ sql: 'SELECT id FROM hub_dead_letters' })).toEqual([])
  expect((await tables.query({ sql: 'SELECT delivery_id FROM hub_parked' })).length).toBe(1)
})

test('data that is away keeps only those from their events who may want it; removed, they keep no others from being opened', async () => {
  const away = createAway()
  const got: string[] = []
  bed = await openBed({
    async deliver({ subscription, event: { id } }) {
      got.push(`${subscription} ${id}`)
      return DONE
    },
    limits: { hubClaimLoadMs: 30 },
    bus: { loadClaim: away.loadClaim },
  })
  await bed.put('mine', { pattern: { subject: ['mine'], data: { n: [2] } } })
  await bed.put('numbers', { pattern: { type: [TYPE], data: { n: [1, 2] } } })
  await until('both are there', () => bed?.bus.places().size === 2)
  await bed.log.append('accounts', [toClaimedRecord('theirs', 1)])
  await bed.publish([{ key: 'mine', n: 2 }])
  await until('mine', () => got.length === 1)
  expect(got).toEqual(['mine mine-2'])
  expect(bed.bus.places().get('numbers')?.isLive()).toBe(false)
  await bed.subscriptions.disable('numbers', 'a test')
  await bed.put('branches', { pattern: { type: [BRANCH] } })
  await bed.publish([{ key: 'b', n: 1, type: BRANCH }])
  await until('the new one', () => got.includes('branches b-1'))
  await bed.subscriptions.enable('numbers')
  away.isBack = true
  await until('all', () => got.length === 4)
  expect(got.filter((one) => one.startsWith('numbers'))).toEqual(['numbers theirs-1', 'numbers mine-2'])
})

test('who decodes says how long: late or closed is a fault, unwanted is nothing, and neither is passed for no event', async () => {
  bed = await openBed({ deliver: async () => DONE })
  let loads = 0
  const loadClaim = (): Promise<Uint8Array> => {
    loads += 1
    return new Promise(() => {})
  }
  const decoder = createDecoder({ registry: bed.registry, loadClaim, logger: silentLogger, retryMs: 5 })
  const record = { topic: 'accounts', partition: 0, offset: 0, ...toClaimedRecord('k', 1) }
  const closing = new AbortController()
  const codeOf = async (on: Parameters<typeof decoder.decode>[1]): Promise<string> => {
    try {
      return (await decoder.decode(record, on)) === null ? 'null' : 'decoded'
    } catch (error) {
      return faultCode(error)
    }
  }
  expect(await codeOf({ signal: closing.signal, isWanted: () => false })).toBe('null')
  expect(loads).toBe(0)
  expect(await codeOf({ signal: closing.signal, timeoutMs: 10 })).toBe('claim-late')
  const waiting = codeOf({ signal: closing.signal })
  closing.abort()
  expect(await waiting).toBe('closed')
})

const CASES: readonly (readonly [object, object, boolean])[] = [
  [{ type: ['a'], data: { n: [1] } }, { type: 'a' }, true],
  [{ type: ['a'], data: { n: [1] } }, { type: 'b' }, false],
  [{ data: { n: [{ exists: false }] } }, { type: 'a' }, true],
  [{ dataref: [{ exists: false }] }, { type: 'a', dataref: 'x' }, true],
  [{ $or: [{ subject: ['s'] }, { data: { deep: { n: [1] } } }] }, { subject: 't' }, true],
  [{ database: ['x'] }, { type: 'a' }, false],
]
test.each(CASES)('beside data, %j of %j: %p', (pattern, envelope, expected) => {
  const parsed = parsePattern(pattern)
  if (!parsed.ok) throw new Error(parsed.detail)
  const matcher = createMatcher()
  matcher.add('one', toEnvelopePattern(parsed.pattern))
  expect(matcher.matchParsed(envelope).length > 0).toBe(expected)
})
