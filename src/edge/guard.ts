import type { EdgeProblem } from './problem.ts'

/**
 * What Bun's parser lets through and two hops could read differently: repeated `Host`, `Content-Length` and
 * `Authorization` arrive joined by a comma, which none of the three may hold.
 */
export function findAmbiguity(headers: Headers): EdgeProblem | null {
  const host = headers.get('host')
  if (host === null || host === '' || /[^A-Za-z0-9.:[\]_~-]/.test(host)) return ambiguous('Host', 'one host name')
  const length = headers.get('content-length')
  if (length !== null && !/^\d{1,15}$/.test(length)) return ambiguous('Content-Length', 'one number')
  if (headers.get('authorization')?.includes(',')) return ambiguous('Authorization', 'one set of credentials')
  return null
}

function ambiguous(name: string, expected: string): EdgeProblem {
  return {
    status: 400,
    code: 'request-ambiguous',
    detail: `${name}: expected ${expected}, got none, several or a malformed one; send the header once`,
    headers: { connection: 'close' },
  }
}
