import { afterEach, expect, test } from 'bun:test'
import { DELIVERY_ID_CHARACTERS_MAX, EVENT_ID_CHARACTERS_MAX } from '../../contracts/index.ts'
import { createId } from '../../kernel/index.ts'
import { until } from '../testing.ts'
import { createDeliveryIds, toDeliveryId, toReplayedId } from './delivery-id.ts'
import { type Bed, DONE, failed, openBed, TYPE } from './testing.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})

test('the same for the same id and source, another for another source, and never too long to be acknowledged', () => {
  const one = { id: 'order-1', source: 'shop-a' }
  expect(toDeliveryId(one)).toBe('order-1_5402d12940530e52')
  expect(toDeliveryId({ ...one, source: 'shop-b' })).not.toBe(toDeliveryId(one))
  const many = createDeliveryIds()
  for (let n = 0; n < 3_000; n += 1) {
    const event = { id: 'e', source: `s${n % 1_500}` }
    expect(many(event)).toBe(toDeliveryId(event))
  }
  const longest = toReplayedId(toDeliveryId({ ...one, id: 'i'.repeat(EVENT_ID_CHARACTERS_MAX) }), createId())
  expect(longest.length).toBeLessThanOrEqual(DELIVERY_ID_CHARACTERS_MAX)
})

test('two events of one id from two sources are both delivered, also when both were parked; one that is repeated keeps its id', async () => {
  const got: string[] = []
  let isDown = true
  bed = await openBed({
    async deliver({ id, event: { source } }) {
      if (isDown) return failed()
      got.push(`${source} ${id}`)
      return DONE
    },
  })
  const { tables } = bed
  const toRecord = (source: string, key: string) => ({
    key,
    value: Buffer.from(
      JSON.stringify({
        ...{ specversion: '1.0', id: 'order-1', source, type: TYPE, subject: key, time: '2026-11-21T12:00:00Z' },
        ...{ datacontenttype: 'application/json', data: { n: 1 } },
      }),
    ),
  })
  await bed.put('all', { policy: { attemptsMax: 100 } })
  await bed.log.append('accounts', [toRecord('shop-a', 'a'), toRecord('shop-b', 'b')])
  await until('both parked', async () => (await tables.query({ sql: 'SELECT seq FROM hub_parked' })).length === 2)
  isDown = false
  await until('both delivered', () => got.length === 2)
  await bed.log.append('accounts', [toRecord('shop-a', 'a')])
  await until('the repeat', () => got.length === 3)
  const id = (source: string): string => `${source} ${toDeliveryId({ id: 'order-1', source })}`
  expect(got.toSorted()).toEqual([id('shop-a'), id('shop-a'), id('shop-b')])
})
