import { afterAll, expect, test } from 'bun:test'
import { openTestLog } from '../../../test/fixtures/log.ts'
import { Fault } from '../../kernel/index.ts'
import { TEST_EVENT, toTestDelivery } from './testing.ts'
import { createTopicTarget } from './topic.ts'

const bed = await openTestLog()
afterAll(() => bed.close())

const create = (append = bed.log.append) =>
  createTopicTarget({ append, topic: 'queue', isRead: (topic) => topic === 'orders' })
const failing = (code: string) => create(() => Promise.reject(new Fault(code, 'no')))

test('what is delivered is on the topic, under its key, with its ids', async () => {
  const target = create()
  expect(await target.deliver(toTestDelivery())).toEqual({ kind: 'done' })
  expect(await target.deliver(toTestDelivery({ id: 'e~r1', replay: 'r1', input: { total: 1 }, key: 'k' }))).toEqual({
    kind: 'done',
  })
  const records = await bed.log.read({ topic: 'queue', from: 0, max: 10 })
  const found = records.map(({ key, headers, value }) => ({
    key,
    headers,
    value: JSON.parse(Buffer.from(value).toString()),
  }))
  const ids = { 'tentpole-event-id': TEST_EVENT.id, 'tentpole-event-type': TEST_EVENT.type }
  expect(found).toEqual([
    {
      key: 'order-7',
      headers: { ...ids, 'tentpole-delivery-id': TEST_EVENT.id, 'content-type': 'application/cloudevents+json' },
      value: TEST_EVENT,
    },
    {
      key: 'k',
      headers: {
        ...ids,
        'tentpole-delivery-id': 'e~r1',
        'tentpole-replay-id': 'r1',
        'content-type': 'application/json',
      },
      value: { total: 1 },
    },
  ])
})

test('never a topic that the hub reads', () => {
  const loop = () =>
    createTopicTarget({ append: bed.log.append, topic: 'orders', isRead: (topic) => topic === 'orders' })
  expect(loop).toThrow(expect.objectContaining({ code: 'topic-read-by-bus' }))
})

test('a full or dead log is tried again, a record that it never takes is not', async () => {
  expect(await failing('log-full').deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
  expect(await failing('log-unavailable').deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
  expect(await failing('record-too-large').deliver(toTestDelivery())).toMatchObject({ kind: 'refused' })
})

test('an append that never ends is over with its time', async () => {
  const target = create(() => new Promise(() => {}))
  expect(await target.deliver(toTestDelivery({ signal: AbortSignal.timeout(20) }))).toMatchObject({ kind: 'failed' })
})
