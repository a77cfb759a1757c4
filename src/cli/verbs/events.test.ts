import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventJourney, ReplayView } from '../../contracts/index.ts'
import { followTail, type TailedEvent } from '../events/follow-tail.ts'
import { type FakePlatform, problem, startFakePlatform } from '../events/testing.ts'
import { findPlatform } from '../staff.ts'
import { UsageError } from '../usage.ts'
import { events } from './events.ts'

let platform: FakePlatform
beforeAll(() => {
  platform = startFakePlatform()
})
beforeEach(() => void platform.asked.splice(0))
afterAll(() => platform.close())

const file = (text: string): string => {
  const path = join(platform.home, 'events.jsonl')
  writeFileSync(path, text)
  return path
}
const positions = (body: string): Response => {
  const sent = JSON.parse(body) as { id: string }[]
  return Response.json({ events: sent.map(({ id }, at) => ({ id, position: `titles:0:${at}` })) })
}

test('what is published is told by id and position', async () => {
  platform.answer = ({ body }) => positions(body)
  const path = file('{"id":"a","subject":"s"}\n{"id":"b","subject":"s","type":"x.v2"}\n')
  const { exitCode, printed } = await platform.run(events, 'publish', path, '--type', 'x.v1')
  expect([exitCode, printed]).toEqual([0, ['published  a  titles:0:0', 'published  b  titles:0:1']])
  const [asked] = platform.asked
  expect([asked?.method, asked?.path, asked?.contentType]).toEqual([
    'POST',
    '/hub/v1/events',
    'application/cloudevents-batch+json',
  ])
  expect(JSON.parse(asked?.body ?? '')).toMatchObject([
    { id: 'a', type: 'x.v1' },
    { id: 'b', type: 'x.v2' },
  ])
})

test('a refused event is named by its line and field', async () => {
  platform.answer = () =>
    problem(400, {
      code: 'event-invalid',
      detail: 'no',
      errors: [{ pointer: '/1/data/price', detail: 'expected a number' }],
    })
  const { exitCode, printed, complained } = await platform.run(events, 'publish', file('{}\n\n{}\n'))
  expect([exitCode, printed]).toEqual([1, []])
  expect(complained[0]).toBe('tentpole: line 3: /data/price: expected a number')
  expect(complained[1]).toContain('0 of 2 events were published')
})

test('a busy hub is asked again with the same ids', async () => {
  let tries = 0
  platform.answer = ({ body }) => {
    tries += 1
    return tries === 1 ? problem(429, { code: 'hub-busy', detail: 'busy' }, { 'retry-after': '0.02' }) : positions(body)
  }
  const { exitCode } = await platform.run(events, 'publish', file('{"subject":"s"}'))
  const bodies = platform.asked.map(({ body }) => body)
  expect([exitCode, bodies.length, bodies[0] === bodies[1]]).toEqual([0, 2, true])
})

test('a replay is followed to its end', async () => {
  const view: ReplayView = {
    ...{ id: 'r1', subscription: 'mail', fromMs: 0, toMs: 1, eventsPerSecond: 5, state: 'running', detail: null },
    ...{ read: 0, delivered: 0, createdAtMs: 0 },
  }
  platform.answer = ({ method }) =>
    method === 'POST'
      ? Response.json(view, { status: 201 })
      : Response.json({ replays: [{ ...view, state: 'done', read: 9, delivered: 4 }] })
  const given = ['--subscription', 'mail', '--from', '2026-11-20', '--to', '2026-11-21T00:00:00Z', '--rate', '5']
  const { exitCode, printed } = await platform.run(events, 'replay', ...given, '--pattern', '{"type":["a.v1"]}')
  expect([exitCode, printed]).toEqual([0, ['done  r1  mail  9 read, 4 delivered, at most 5/s']])
  expect(JSON.parse(platform.asked[0]?.body ?? '')).toEqual({
    ...{ fromMs: Date.parse('2026-11-20'), toMs: Date.parse('2026-11-21'), eventsPerSecond: 5 },
    pattern: { type: ['a.v1'] },
  })
})

test("one event's way is told, hostile texts written out", async () => {
  const journey: EventJourney = {
    event: { id: 'e1', type: 'a.v1', source: 'spokes/them', subject: 's\u001b[2J' },
    position: 'titles:0:7',
    appendedAtMs: 0,
    pipe: 'orders',
    causedBy: 'raw:0:3',
    stops: [
      { subscription: 'mail', state: 'dead', attempts: 8, atMs: 1_000, reason: '500 from the receiver' },
      { subscription: 'audit', state: 'not-matched', attempts: null, atMs: null, reason: null },
    ],
  }
  platform.answer = () => Response.json(journey)
  const { printed } = await platform.run(events, 'journey', 'e1')
  const said = printed.join('\n')
  for (const part of [
    'made by the pipe orders from raw:0:3',
    'titles:0:7',
    'mail',
    'dead',
    '500 from the receiver',
    'not matched  audit',
  ])
    expect(said).toContain(part)
  expect(said).not.toContain('\u001b')
})

test('the tail is followed over a lost connection, until it is told to stop', async () => {
  let opened = 0
  platform.answer = ({ path }) => {
    expect(path).toBe('/hub/v1/tail?topic=titles')
    opened += 1
    const data = JSON.stringify({ position: `titles:0:${opened}`, appendedAtMs: 0, event: { id: `e${opened}` } })
    return new Response(
      `event: ready\ndata: {}\n\nevent: event\ndata: ${data}\n\nevent: skipped\ndata: {"count":3}\n\nevent: event\ndata: {"cut`,
    )
  }
  const stop = new AbortController()
  const [seen, notices]: [TailedEvent[], string[]] = [[], []]
  await followTail(
    await findPlatform({ TENTPOLE_HOME: platform.home }),
    { query: new URLSearchParams({ topic: 'titles' }), signal: stop.signal },
    {
      onEvent(event) {
        seen.push(event)
        if (seen.length === 2) stop.abort()
      },
      onNotice: (text) => void notices.push(text),
    },
  )
  expect(seen.map(({ event }) => event.id)).toEqual(['e1', 'e2'])
  expect(notices.join('\n')).toContain('3 more matched')
})

const wrong: readonly (readonly string[])[] = [
  [],
  ['list'],
  ['publish'],
  ['tail', '--pattern', '{"type":"x"}'],
  ['replay', '--from', '1h'],
  ['replay', '--subscription', 'a', '--from', 'now', '--to', '1h ago'],
  ['replay', '--subscription', 'a', '--from', '1h', '--rate', '0'],
]
test.each(wrong.map((args) => [args] as const))('%j is no command', async (args) => {
  expect(platform.run(events, ...args)).rejects.toBeInstanceOf(UsageError)
})
