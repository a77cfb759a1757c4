import { afterEach, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import type { Limits } from '../../src/kernel/index.ts'
import { type AttackBed, echo, openAttackBed } from './bed.ts'
import { send, statusOf } from './raw-client.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Counts loopback addresses as the clients they stand for. */
const open = async (limits: Partial<Limits>, exemptNetworks: readonly string[] = []): Promise<AttackBed> => {
  const bed = await openAttackBed(echo, { limits, exemptNetworks })
  closers.push(() => bed.close())
  return bed
}
const GREEDY = '127.0.0.2'
const HONEST = '127.0.0.3'
const REQUEST = 'GET /x HTTP/1.1\r\nHost: edge.test\r\n\r\n'
const LAST = 'GET /x HTTP/1.1\r\nHost: edge.test\r\nConnection: close\r\n\r\n'

const RATE = { edgeClientRequestsBurstMax: 5, edgeClientRequestsPerSecondMax: 1 }

test('who asks more than its rate is told when to come again, and nobody else is', async () => {
  const bed = await open(RATE)
  const { answers } = await send(bed.port, REQUEST.repeat(5) + LAST, 6, GREEDY)
  expect(answers.map(statusOf)).toEqual([200, 200, 200, 200, 200, 429])
  expect(answers.at(-1)?.head).toMatch(/^retry-after: 1$/im)
  expect(bed.origin.seen.length).toBe(5)
  // Another connection is the same client.
  expect((await send(bed.port, LAST, 1, GREEDY)).answers.map(statusOf)).toEqual([429])
  expect((await send(bed.port, REQUEST.repeat(4) + LAST, 5, HONEST)).answers.map(statusOf)).toEqual(Array(5).fill(200))
})

test('networks that are exempt are not counted', async () => {
  const bed = await open(RATE, ['127.0.0.2/32'])
  const { answers } = await send(bed.port, REQUEST.repeat(49) + LAST, 50, GREEDY)
  expect(answers.map(statusOf)).toEqual(Array(50).fill(200))
})

test('a client has its share of connections and no more; one that it closes is one that it may open', async () => {
  const bed = await open({ edgeClientConnectionsMax: 3 })
  const held = await Promise.all([1, 2, 3].map(() => hold(bed.port, GREEDY)))
  const { answers, closed } = await send(bed.port, LAST, Number.POSITIVE_INFINITY, GREEDY)
  expect(answers.map(statusOf).filter((status) => status === 200)).toEqual([])
  expect(closed).toBe(true)
  expect((await send(bed.port, LAST, 1, HONEST)).answers.map(statusOf)).toEqual([200])
  held[0]?.destroy()
  const deadlineMs = Date.now() + 3_000
  let statuses: number[] = []
  while (statuses[0] !== 200 && Date.now() < deadlineMs)
    statuses = (await send(bed.port, LAST, Number.POSITIVE_INFINITY, GREEDY)).answers.map(statusOf)
  expect(statuses).toEqual([200])
})

/** A connection on which a request was answered, so that the edge has taken it. */
function hold(port: number, localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    closers.push(() => socket.destroy())
    socket.on('error', reject)
    socket.once('data', () => resolve(socket))
    socket.write(REQUEST)
  })
}
