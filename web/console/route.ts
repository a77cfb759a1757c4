import type { TitleState } from '../../src/contracts/index.ts'
import { queryOf, withQuery } from './query.ts'

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'titles' }
  | { readonly page: 'title'; readonly titleId: string }
  | { readonly page: 'flow' | 'events' | 'dead-letters' }
  | { readonly page: 'dead-letter'; readonly letterId: string }
  | { readonly page: 'journey'; readonly eventId: string | null }
  | { readonly page: 'edge' }
  | { readonly page: 'missing' }

export function matchRoute(location: string): Route {
  const path = location.split(/[?#]/, 1)[0] ?? ''
  const [first = '', second = '', ...rest] = path.split('/').filter((part) => part !== '')
  if (first === '') return { page: 'overview' }
  if (first === 'titles' && second === '') return { page: 'titles' }
  if (first === 'titles' && rest.length === 0) return { page: 'title', titleId: decodeURIComponent(second) }
  if (first === 'events') return matchEvents([second, ...rest], location)
  if (first === 'edge' && second === '') return { page: 'edge' }
  return { page: 'missing' }
}

function matchEvents([second = '', third = '', ...rest]: readonly string[], location: string): Route {
  // What the live events had for an address before there was anything else here.
  if (second === '') return { page: parseEventsView(location) === null ? 'flow' : 'events' }
  if (second === 'live' && third === '') return { page: 'events' }
  if (second === 'dead-letters' && third === '') return { page: 'dead-letters' }
  if (second === 'dead-letters' && rest.length === 0) return { page: 'dead-letter', letterId: decodePart(third) }
  if (second === 'journey' && rest.length === 0)
    return { page: 'journey', eventId: third === '' ? null : decodePart(third) }
  return { page: 'missing' }
}

/** An id is anybody's to choose: where it is no encoding it is taken as it is. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const STATES: readonly TitleState[] = ['uploading', 'processing', 'playable', 'published', 'failed', 'withdrawn']
export const COLUMNS = ['name', 'state', 'percent', 'durationMs', 'updatedAtMs'] as const
export type Column = (typeof COLUMNS)[number]

/** What the titles' address says: every view of the table is a link. */
export type TitlesView = {
  readonly text: string
  readonly state: TitleState | null
  readonly sort: Column
  readonly descending: boolean
}

export const FIRST_VIEW: TitlesView = { text: '', state: null, sort: 'updatedAtMs', descending: true }

export function parseTitlesView(location: string): TitlesView {
  const query = queryOf(location)
  const [, minus = '', column = ''] = /^(-?)(\w+)$/.exec(query.get('sort') ?? '') ?? []
  const sort = COLUMNS.find((known) => known === column)
  return {
    text: query.get('q') ?? '',
    state: STATES.find((known) => known === query.get('state')) ?? null,
    sort: sort ?? FIRST_VIEW.sort,
    descending: sort === undefined ? FIRST_VIEW.descending : minus === '-',
  }
}

export function titlesPath(view: Partial<TitlesView> = {}): string {
  const { text, state, sort, descending } = { ...FIRST_VIEW, ...view }
  const query = new URLSearchParams()
  if (text !== '') query.set('q', text)
  if (state !== null) query.set('state', state)
  if (sort !== FIRST_VIEW.sort || descending !== FIRST_VIEW.descending)
    query.set('sort', (descending ? '-' : '') + sort)
  return withQuery('/titles', query)
}

export function titlePath(titleId: string): string {
  return `/titles/${encodeURIComponent(titleId)}`
}

/** The type the events are narrowed to, or null for all. */
export function parseEventsView(location: string): string | null {
  return queryOf(location).get('type')
}

export function eventsPath(type: string | null): string {
  return withQuery('/events/live', new URLSearchParams(type === null ? {} : { type }))
}

/** The edge's tables, and what each may be sorted by. */
export const EDGE_TABLES = {
  titles: ['name', 'requests', 'hits', 'bytes'],
  objects: ['name', 'requests', 'hits', 'bytes'],
  outcomes: ['name', 'requests', 'bytes', 'averageMs'],
} as const
export type EdgeTable = keyof typeof EDGE_TABLES
export type EdgeColumn = (typeof EDGE_TABLES)[EdgeTable][number]
export type EdgeSort = { readonly column: EdgeColumn; readonly descending: boolean }

/** What the edge's address says: one text for all of its tables, and the order of each. */
export type EdgeTablesView = { readonly text: string } & Readonly<Record<EdgeTable, EdgeSort>>

const MOST_REQUESTS: EdgeSort = { column: 'requests', descending: true }
export const FIRST_EDGE_VIEW: EdgeTablesView = {
  text: '',
  titles: MOST_REQUESTS,
  objects: MOST_REQUESTS,
  outcomes: MOST_REQUESTS,
}

export function parseEdgeTablesView(location: string): EdgeTablesView {
  const query = queryOf(location)
  const sortOf = (table: EdgeTable): EdgeSort => {
    const [, minus = '', name = ''] = /^(-?)(\w+)$/.exec(query.get(table) ?? '') ?? []
    const column = EDGE_TABLES[table].find((known) => known === name)
    return column === undefined ? FIRST_EDGE_VIEW[table] : { column, descending: minus === '-' }
  }
  return {
    text: query.get('q') ?? '',
    titles: sortOf('titles'),
    objects: sortOf('objects'),
    outcomes: sortOf('outcomes'),
  }
}

export function edgePath(view: Partial<EdgeTablesView> = {}): string {
  const all = { ...FIRST_EDGE_VIEW, ...view }
  const query = new URLSearchParams()
  if (all.text !== '') query.set('q', all.text)
  for (const table of ['titles', 'objects', 'outcomes'] as const) {
    const { column, descending } = all[table]
    const first = FIRST_EDGE_VIEW[table]
    if (column !== first.column || descending !== first.descending) query.set(table, (descending ? '-' : '') + column)
  }
  return withQuery('/edge', query)
}
