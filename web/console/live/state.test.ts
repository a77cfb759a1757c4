import { expect, test } from 'bun:test'
import type { CloudEvent, StaffTitle } from '../../../src/contracts/index.ts'
import { decideLive, EVENTS_KEPT_MAX, eventRate, FIRST_LIVE, type LiveMessage, parseLive, rateBars } from './state.ts'

const event = (id: string, type = 'tentpole.title.published.v1'): LiveMessage => ({
  type: 'event',
  event: { id, type } as unknown as CloudEvent,
})
const title = (id: string, percent: number): StaffTitle => ({ id, percent }) as StaffTitle

test('a snapshot replaces, a change updates', () => {
  const first = decideLive(FIRST_LIVE, [{ type: 'titles', titles: [title('a', 0), title('b', 0)] }], 1)
  const second = decideLive(
    first,
    [
      { type: 'title', title: title('b', 50) },
      { type: 'title', title: title('c', 0) },
    ],
    2,
  )
  expect([...(second.titles ?? [])].map(([id, { percent }]) => [id, percent])).toEqual([
    ['a', 0],
    ['b', 50],
    ['c', 0],
  ])
  expect(decideLive(second, [{ type: 'titles', titles: [title('a', 9)] }], 3).titles?.size).toBe(1)
})

test('events are newest first, each once, and bounded', () => {
  let state = decideLive(FIRST_LIVE, [event('1'), event('2'), event('1')], 1_000)
  state = decideLive(state, [event('2'), event('3')], 2_000)
  expect(state.events.map((seen) => seen.event.id)).toEqual(['3', '2', '1'])
  state = decideLive(
    state,
    Array.from({ length: 600 }, (_, index) => event(`x${index}`)),
    3_000,
  )
  expect(state.events).toHaveLength(EVENTS_KEPT_MAX)
  expect(state.events[0]?.event.id).toBe('x599')
})

test('plays and rates are counted from what was seen', () => {
  const started = 'tentpole.playback.started.v1'
  let state = decideLive(FIRST_LIVE, [event('1', started), event('2', started), event('3')], 100_000)
  state = decideLive(state, [event('4')], 101_500)
  expect(state.plays).toBe(2)
  expect(eventRate(state.perSecond, 102_000)).toBeCloseTo(0.4)
  expect(eventRate(state.perSecond, 120_000)).toBe(0)
  expect(rateBars(state.perSecond, 102_000).slice(-2)).toEqual([3, 1])
  expect(rateBars(state.perSecond, 102_000)).toHaveLength(60)
  expect(decideLive(state, [event('5')], 200_000).perSecond.size).toBe(1)
})

test('the line: connecting until it opened once, then reconnecting; a refusal ends it', () => {
  const lost = decideLive(FIRST_LIVE, [{ type: 'lost' }], 1)
  expect(lost.connection).toBe('connecting')
  const open = decideLive(lost, [{ type: 'opened' }], 5)
  expect(open).toMatchObject({ connection: 'live', heardAtMs: 5 })
  const again = decideLive(open, [{ type: 'lost' }], 9)
  expect(again).toMatchObject({ connection: 'reconnecting', heardAtMs: 5 })
  expect(decideLive(again, [{ type: 'refused' }], 10).connection).toBe('refused')
})

test.each([
  ['titles', '[]', 'titles'],
  ['titles', '{}', null],
  ['title', '{"id":"a"}', 'title'],
  ['title', 'null', null],
  ['status', 'null', 'status'],
  ['status', '{"roles":[]}', 'status'],
  ['status', '{}', null],
  ['message', '{"id":"a","type":"b"}', 'event'],
  ['message', '{"id":"a"}', null],
  ['message', '{', null],
  ['unknown', '{}', null],
] as const)('%s %s is read as %p', (name, data, expected) => {
  expect(parseLive(name, data)?.type ?? null).toBe(expected)
})
