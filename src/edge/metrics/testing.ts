import type { AnswerReport, Exchange } from '../server/message.ts'

export type ExchangeFacts = {
  readonly method?: string
  readonly host?: string
  readonly path?: string
  readonly query?: string
  readonly clientAddress?: string
  readonly status?: number
  readonly bytes?: number
  readonly durationMs?: number
  readonly complete?: boolean
  readonly report?: Partial<AnswerReport>
}

/** For tests: an exchange as the server tells it. */
export function toExchange(facts: ExchangeFacts = {}): Exchange {
  const { method = 'GET', host = 'films.example', path = '/t1/v360/1.m4s', query = '', status = 200 } = facts
  return {
    request: {
      method,
      host,
      path,
      query,
      fields: { get: () => 'a field nobody may see', has: () => true, lines: () => [] } as never,
      clientAddress: facts.clientAddress ?? '192.0.2.77',
      body: null,
      signal: new AbortController().signal,
    },
    answer: {
      status,
      head: '',
      body: null,
      lengthBytes: null,
      ...(facts.report ? { report: { cache: 'none', key: null, tags: [], cell: null, ...facts.report } } : {}),
    },
    bytes: facts.bytes ?? 0,
    durationMs: facts.durationMs ?? 0.3,
    complete: facts.complete ?? true,
  }
}
