/** RFC 9457 problem details, made here only for what never reaches a cell. */
export type EdgeProblem = {
  readonly status: number
  /** Stable; clients compare this. */
  readonly code: string
  /** What, expected, got, and what to do next. Never carries a token. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

export function toProblemResponse({ status, code, detail, headers = {} }: EdgeProblem): Response {
  const body = { type: `urn:tentpole:problem:${code}`, title: TITLES[status] ?? 'Error', status, code, detail }
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
  })
}

export const RETRY_SOON: Readonly<Record<string, string>> = { 'retry-after': '1' }
