import { expect, test } from 'bun:test'
import { journeyPath, letterPath } from './hub/address.ts'
import {
  edgePath,
  eventsPath,
  FIRST_EDGE_VIEW,
  FIRST_VIEW,
  matchRoute,
  parseEdgeTablesView,
  parseEventsView,
  parseTitlesView,
  titlePath,
  titlesPath,
} from './route.ts'

test.each([
  ['/', { page: 'overview' }],
  ['/titles?q=x', { page: 'titles' }],
  [titlePath('0123456789abcdef'), { page: 'title', titleId: '0123456789abcdef' }],
  ['/events', { page: 'flow' }],
  ['/events?q=mail', { page: 'flow' }],
  ['/events?type=tentpole.title.failed.v1', { page: 'events' }],
  ['/events/live', { page: 'events' }],
  ['/events/more', { page: 'missing' }],
  ['/events/dead-letters?state=all', { page: 'dead-letters' }],
  [letterPath('a/b'), { page: 'dead-letter', letterId: 'a/b' }],
  ['/events/dead-letters/a/b', { page: 'missing' }],
  [journeyPath(null), { page: 'journey', eventId: null }],
  [journeyPath('50% ü'), { page: 'journey', eventId: '50% ü' }],
  ['/events/journey/50%', { page: 'journey', eventId: '50%' }],
  ['/edge?titles=-bytes', { page: 'edge' }],
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
  expect(eventsPath(null)).toBe('/events/live')
  expect(parseEventsView(eventsPath('tentpole.title.failed.v1'))).toBe('tentpole.title.failed.v1')
  expect(parseEventsView('/events')).toBeNull()
})

test("every view of the edge's tables is an address, and back", () => {
  const views = [
    FIRST_EDGE_VIEW,
    { ...FIRST_EDGE_VIEW, text: 'a & b', titles: { column: 'name', descending: false } },
    {
      ...FIRST_EDGE_VIEW,
      objects: { column: 'bytes', descending: true },
      outcomes: { column: 'averageMs', descending: true },
    },
    { ...FIRST_EDGE_VIEW, titles: { column: 'requests', descending: false } },
  ] as const
  for (const view of views) expect(parseEdgeTablesView(edgePath(view))).toEqual(view)
  expect(edgePath()).toBe('/edge')
  expect(parseEdgeTablesView('/edge?titles=-averageMs&objects=constructor')).toEqual(FIRST_EDGE_VIEW)
})
