import { expect, test } from 'bun:test'
import { createAcknowledger } from './acknowledger.ts'
import type { HubHttp } from './http.ts'
import { HubError } from './types.ts'

type Sent = { acks: string[]; nacks: { id: string; reason: string; final: boolean }[] }

function setUp(answer: (sent: Sent) => Promise<Response>, eager = 3) {
  const sent: Sent[] = []
  const http: HubHttp = {
    send: () => Promise.reject(new Error('not used')),
    sendWithRetries(_path, init) {
      const body = JSON.parse(String(init.body)) as Sent
      sent.push(body)
      return answer(body)
    },
  }
  return { sent, acknowledger: createAcknowledger({ http, subscription: 's', eager }) }
}

test('many go in one request, and what comes meanwhile with the next', async () => {
  const first = Promise.withResolvers<Response>()
  const answers = [first.promise, Promise.resolve(new Response())]
  const { sent, acknowledger } = setUp(() => answers.shift() ?? Promise.resolve(new Response()))
  for (const id of ['a', 'b', 'c', 'd', 'e']) acknowledger.add(id, { kind: 'ack' })
  acknowledger.add('f', { kind: 'nack', reason: 'no', final: true })
  expect(sent).toHaveLength(1)
  first.resolve(new Response())
  await acknowledger.finish()
  expect(sent.flatMap(({ acks }) => acks)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(sent.flatMap(({ nacks }) => nacks)).toEqual([{ id: 'f', reason: 'no', final: true }])
  expect([sent.length, acknowledger.repeat('a')]).toEqual([2, false])
})

test('few are told too', async () => {
  const told = Promise.withResolvers<Sent>()
  const { acknowledger } = setUp(async (sent) => {
    told.resolve(sent)
    return new Response()
  })
  acknowledger.add('a', { kind: 'ack' })
  expect((await told.promise).acks).toEqual(['a'])
})

test('what could not be told is told with the next', async () => {
  let isAway = true
  const { sent, acknowledger } = setUp(async () => {
    if (isAway) throw new Error('away')
    return new Response()
  }, 1)
  acknowledger.add('a', { kind: 'ack' })
  await acknowledger.finish()
  isAway = false
  acknowledger.add('b', { kind: 'ack' })
  await acknowledger.finish()
  expect([sent.at(-1)?.acks, acknowledger.repeat('a')]).toEqual([['a', 'b'], false])
})

test('one that the hub refuses for good does not keep the others', async () => {
  const taken: string[] = []
  const { acknowledger } = setUp(async ({ acks, nacks }) => {
    const ids = [...acks, ...nacks.map(({ id }) => id)]
    if (ids.includes('bad')) throw new HubError({ code: 'body-invalid', status: 400, detail: 'too long' })
    taken.push(...ids)
    return new Response()
  })
  for (const id of ['a', 'b', 'bad', 'c', 'd']) acknowledger.add(id, { kind: 'ack' })
  await acknowledger.finish()
  expect(taken.sort()).toEqual(['a', 'b', 'c', 'd'])
  expect(acknowledger.repeat('bad')).toBe(false)
})

test('what comes again while its acknowledgement is on the way is acknowledged again; what had failed is not', async () => {
  const first = Promise.withResolvers<Response>()
  const answers = [first.promise]
  const { sent, acknowledger } = setUp(() => answers.shift() ?? Promise.resolve(new Response()), 1)
  acknowledger.add('a', { kind: 'ack' })
  acknowledger.add('b', { kind: 'nack', reason: 'no', final: false })
  expect([acknowledger.repeat('a'), acknowledger.repeat('b'), acknowledger.repeat('c')]).toEqual([true, false, false])
  first.resolve(new Response())
  await acknowledger.finish()
  expect(sent.map(({ acks, nacks }) => [acks, nacks.length])).toEqual([
    [['a'], 0],
    [['a'], 0],
  ])
})
