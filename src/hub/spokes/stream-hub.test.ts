import { expect, test } from 'bun:test'
import type { Delivery } from '../bus/target.ts'
import { createStreamHub, type StreamEnd, type StreamHub } from './stream-hub.ts'
import { deliveryOf, eventOf } from './testing.ts'

const event = (id: string) => deliveryOf(eventOf('com.example.x.v1', {}, id))

function readFrom(streams: StreamHub, options: { window?: number; room?: () => boolean; owner?: string } = {}) {
  const got: Delivery[] = []
  const ends: StreamEnd[] = []
  const reader = streams.connect({
    subscription: 'titles',
    owner: options.owner ?? null,
    tokenId: null,
    window: options.window ?? 2,
    sink: {
      hasRoom: options.room ?? (() => true),
      send: (delivery) => got.push(delivery),
      end(reason) {
        ends.push(reason)
        reader?.close()
      },
    },
  })
  return { reader, ends, ids: () => got.map(({ id }) => id) }
}

test('deliveries go to the reader within its window, and end as it says', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  const heard: string[] = []
  target.onReady?.(() => heard.push('ready'))
  expect([target.ready?.(), await target.deliver(event('0'))]).toEqual([false, { kind: 'interrupted' }])
  const { ids } = readFrom(streams)
  expect([target.ready?.(), heard]).toEqual([true, ['ready']])
  const outcomes = ['1', '2', '3', '4'].map((id) => target.deliver(event(id)))
  expect(ids()).toEqual(['1', '2'])
  const nacks = [{ id: '2', reason: 'not today', final: false, retryAfterMs: 70 }]
  expect(streams.acknowledge('titles', { acks: ['1', '1', 'x'], nacks })).toEqual({
    acknowledged: 1,
    refused: 1,
    unknown: 2,
  })
  expect(ids()).toEqual(['1', '2', '3', '4'])
  streams.acknowledge('titles', { acks: ['3'], nacks: [{ id: '4', reason: 'never', final: true }] })
  expect(await Promise.all(outcomes)).toEqual([
    { kind: 'done' },
    { kind: 'failed', reason: 'not today', retryAfterMs: 70 },
    { kind: 'done' },
    { kind: 'refused', reason: 'never' },
  ])
})

test('a new reader takes over: the old one is told, what it had not acknowledged is interrupted', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  const old = readFrom(streams, { window: 1 })
  const outcomes = [target.deliver(event('1')), target.deliver(event('2'))]
  const next = readFrom(streams)
  expect(await Promise.all(outcomes)).toEqual([{ kind: 'interrupted' }, { kind: 'interrupted' }])
  const again = target.deliver(event('1'))
  expect([old.ends, old.ids(), next.ids(), streams.readers()]).toEqual([['replaced'], ['1'], ['1'], 1])
  // It finished after all: the effect is there, so its acknowledgement counts.
  streams.acknowledge('titles', { acks: ['1'], nacks: [] })
  expect(await again).toEqual({ kind: 'done' })
})

test('an attempt whose time is over has failed if it was sent, and was none if it was not', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  readFrom(streams, { window: 1 })
  const over = new AbortController()
  const sent = target.deliver({ ...event('1'), signal: over.signal })
  const waiting = target.deliver({ ...event('2'), signal: over.signal })
  over.abort()
  expect([(await sent).kind, (await waiting).kind]).toEqual(['failed', 'interrupted'])
  expect((await target.deliver({ ...event('3'), signal: AbortSignal.abort() })).kind).toBe('interrupted')
  expect(streams.acknowledge('titles', { acks: ['1', '2'], nacks: [] }).unknown).toBe(2)
})

test('nothing is sent to a reader without room, until it has drained', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  let room = false
  const { reader, ids } = readFrom(streams, { room: () => room })
  const outcome = target.deliver(event('1'))
  expect(ids()).toEqual([])
  room = true
  reader.drained()
  expect(ids()).toEqual(['1'])
  reader.close()
  expect([await outcome, target.ready?.()]).toEqual([{ kind: 'interrupted' }, false])
})

test('streams of a spoke are ended when it is revoked, those of others are not', () => {
  const streams = createStreamHub()
  const { ends } = readFrom(streams, { owner: 'them' })
  streams.end('revoked', ({ owner }) => owner === 'others')
  expect(ends).toEqual([])
  streams.end('revoked', ({ owner }) => owner === 'them')
  expect([ends, streams.readers()]).toEqual([['revoked'], 0])
})

test('a sink that closes its reader while it is written to leaves nothing hanging', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  const reader = streams.connect({
    subscription: 'titles',
    owner: null,
    tokenId: null,
    window: 8,
    sink: { hasRoom: () => true, send: () => reader.close(), end: () => {} },
  })
  const outcomes = await Promise.all(['1', '2'].map((id) => target.deliver(event(id))))
  expect(outcomes).toEqual([{ kind: 'interrupted' }, { kind: 'interrupted' }])
})

test('a sink that throws ends its reader, and the next one is sent what comes', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  const ends: StreamEnd[] = []
  const connect = (send: () => void) =>
    streams.connect({
      ...{ subscription: 'titles', owner: null, tokenId: null, window: 8 },
      sink: { hasRoom: () => true, send, end: (reason) => ends.push(reason) },
    })
  connect(() => {
    throw new RangeError('too deep')
  })
  expect(await target.deliver(event('1'))).toEqual({ kind: 'interrupted' })
  expect([ends, target.ready?.(), streams.readers()]).toEqual([['closing'], false, 0])
  const { ids } = readFrom(streams)
  const outcome = target.deliver(event('2'))
  streams.acknowledge('titles', { acks: ids(), nacks: [] })
  expect([ids(), await outcome]).toEqual([['2'], { kind: 'done' }])
})

test('an event that ends its readers has failed at the third', async () => {
  const streams = createStreamHub()
  const target = streams.target('titles')
  target.onReady?.(() => {})
  const kinds: string[] = []
  for (let n = 0; n < 4; n += 1) {
    const { reader } = readFrom(streams)
    const outcome = target.deliver(event('poison'))
    reader.close()
    kinds.push((await outcome).kind)
  }
  expect(kinds).toEqual(['interrupted', 'interrupted', 'failed', 'interrupted'])
})
