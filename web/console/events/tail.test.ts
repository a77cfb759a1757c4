import { expect, test } from 'bun:test'
import type { CloudEvent } from '../../../src/contracts/index.ts'
import type { SeenEvent } from '../live/state.ts'
import { countNewer, selectEvents, shortType, summarize } from './tail.ts'

const seen = (id: string, type = 'a', data: unknown = {}): SeenEvent => ({
  event: { id, type, data } as unknown as CloudEvent,
  seenAtMs: 0,
})
const say = (data: unknown): string => summarize(seen('1', 'a', data).event)

test('the tail can be narrowed to a type', () => {
  const events = [seen('1', 'a'), seen('2', 'b')]
  expect(selectEvents(events, null)).toHaveLength(2)
  expect(selectEvents(events, 'b').map(({ event }) => event.id)).toEqual(['2'])
})

test('a pause counts what it holds back', () => {
  const frozen = [seen('2'), seen('1')]
  expect(countNewer([seen('4'), seen('3'), ...frozen], frozen)).toBe(2)
  expect(countNewer(frozen, frozen)).toBe(0)
  expect(countNewer([seen('9'), seen('8')], frozen)).toBe(2)
  expect(countNewer([seen('1')], [])).toBe(1)
})

test('events are said shortly', () => {
  expect(shortType('tentpole.title.published.v1')).toBe('title published')
  expect(say({ metadata: { name: 'Sintel' } })).toBe('Sintel')
  expect(say({ percent: 42.7 })).toBe('42%')
  expect(say({ track: 'v360', index: 7 })).toBe('v360 · segment 7')
  expect(say({ track: 'a0', segments: [1, 2] })).toBe('a0 · 2 segments')
  expect(say({ country: 'DE', platform: 'web', cell: 'b' })).toBe('DE web b')
  expect(say({})).toBe('')
})
