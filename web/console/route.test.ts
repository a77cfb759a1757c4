import { expect, test } from 'bun:test'
import {
  edgePath,
  eventsPath,
  FIRST_VIEW,
  matchRoute,
  parseEdgeOrder,
  parseEventsView,
  parseTitlesView,
  titlePath,
  titlesPath,
} from './route.ts'

test.each([
  ['/', { page: 'overview' }],
  ['/titles?q=x', { page: 'titles' }],
  [titlePath('0123456789abcdef'), { page: 'title', titleId: '0123456789abcdef' }],
  ['/events', { page: 'events' }],
  ['/events/more', { page: 'missing' }],
  ['/edge?by=bytes', { page: 'edge' }],
  ['/edge/more', { page: 'missing' }],
  ['/titles/a/b', { page: 'missing' }],
  ['/elsewhere', { page: 'missing' }],
] as const)('%p', (location, expected) => {
  expect(matchRoute(location)).toEqual(expected)
})

test('every view of the table is an address, and back', () => {
  const views = [
    FIRST_VIEW,
    { text: 'a & b', state: 'failed', sort: 'name', descending: false },
    { text: '', state: null, sort: 'percent', descending: true },
    { text: '?', state: 'published', sort: 'updatedAtMs', descending: false },
  ] as const
  for (const view of views) expect(parseTitlesView(titlesPath(view))).toEqual(view)
  expect(titlesPath()).toBe('/titles')
})

test('an address that names nothing known shows everything', () => {
  expect(parseTitlesView('/titles?state=lost&sort=-constructor')).toEqual(FIRST_VIEW)
})

test('the type of events is an address too', () => {
  expect(eventsPath(null)).toBe('/events')
  expect(parseEventsView(eventsPath('tentpole.title.failed.v1'))).toBe('tentpole.title.failed.v1')
  expect(parseEventsView('/events')).toBeNull()
})

test("the order of the edge's objects is an address too", () => {
  for (const order of ['requests', 'bytes'] as const) expect(parseEdgeOrder(edgePath(order))).toBe(order)
  expect(edgePath()).toBe('/edge')
  expect(parseEdgeOrder('/edge?by=colour')).toBe('requests')
})
