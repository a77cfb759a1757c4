import type { DeadLetter } from '../../../src/contracts/index.ts'
import { queryOf, withQuery } from '../query.ts'

export const SUBSCRIPTION_COLUMNS = ['name', 'state', 'lag', 'parked', 'rate', 'p99', 'failed'] as const
export type SubscriptionColumn = (typeof SUBSCRIPTION_COLUMNS)[number]

/** What the address of the flow says: how the subscriptions are narrowed and ordered. */
export type FlowView = { readonly text: string; readonly sort: SubscriptionColumn; readonly descending: boolean }

/** What needs somebody comes first. */
export const FIRST_FLOW: FlowView = { text: '', sort: 'state', descending: true }

export function parseFlowView(location: string): FlowView {
  const query = queryOf(location)
  const [, minus = '', name = ''] = /^(-?)(\w+)$/.exec(query.get('sort') ?? '') ?? []
  const sort = SUBSCRIPTION_COLUMNS.find((known) => known === name)
  return {
    text: query.get('q') ?? '',
    sort: sort ?? FIRST_FLOW.sort,
    descending: sort === undefined ? FIRST_FLOW.descending : minus === '-',
  }
}

export function flowPath(view: Partial<FlowView> = {}): string {
  const { text, sort, descending } = { ...FIRST_FLOW, ...view }
  const query = new URLSearchParams()
  if (text !== '') query.set('q', text)
  if (sort !== FIRST_FLOW.sort || descending !== FIRST_FLOW.descending)
    query.set('sort', (descending ? '-' : '') + sort)
  return withQuery('/events', query)
}

export const LETTER_STATES: readonly DeadLetter['state'][] = ['open', 'redriven', 'discarded']
export const LETTER_KINDS: readonly DeadLetter['kind'][] = ['delivery', 'pipe']

/** Which dead letters: the open ones unless it says otherwise. */
export type LettersView = {
  readonly state: DeadLetter['state'] | null
  readonly kind: DeadLetter['kind'] | null
  readonly name: string
}

export const FIRST_LETTERS: LettersView = { state: 'open', kind: null, name: '' }

export function parseLettersView(location: string): LettersView {
  const query = queryOf(location)
  const state = query.get('state')
  return {
    state: state === 'all' ? null : (LETTER_STATES.find((known) => known === state) ?? FIRST_LETTERS.state),
    kind: LETTER_KINDS.find((known) => known === query.get('kind')) ?? null,
    name: query.get('name') ?? '',
  }
}

export function lettersPath(view: Partial<LettersView> = {}): string {
  const { state, kind, name } = { ...FIRST_LETTERS, ...view }
  const query = new URLSearchParams()
  if (state !== FIRST_LETTERS.state) query.set('state', state ?? 'all')
  if (kind !== null) query.set('kind', kind)
  if (name !== '') query.set('name', name)
  return withQuery('/events/dead-letters', query)
}

export function letterPath(id: string): string {
  return `/events/dead-letters/${encodeURIComponent(id)}`
}

export function journeyPath(eventId: string | null): string {
  return eventId === null || eventId === '' ? '/events/journey' : `/events/journey/${encodeURIComponent(eventId)}`
}
