import { expect, test } from 'bun:test'
import { createAcknowledger } from './acknowledger.ts'
import type { HubHttp } from './http.ts'

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
  expect([sent.length, acknowledger.has('a')]).toEqual([1, true])
  first.resolve(new Response())
  await acknowledger.finish()
  expect(sent.flatMap(({ acks }) => acks)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(sent.flatMap(({ nacks }) => nacks)).toEqual([{ id: 'f', reason: 'no', final: true }])
  expect([sent.length, acknowledger.has('a')]).toEqual([2, false])
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
  expect(acknowledger.has('a')).toBe(true)
  isAway = false
  acknowledger.add('b', { kind: 'ack' })
  await acknowledger.finish()
  expect([sent.at(-1)?.acks, acknowledger.has('a')]).toEqual([['a', 'b'], false])
})
