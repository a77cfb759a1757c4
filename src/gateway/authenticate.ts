import type { ViewerTokens } from '../services/accounts/index.ts'
import { toProblem } from './problem.ts'
import type { Handle, ViewerHandle } from './route.ts'

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** Lets only viewers with a valid token through, and says who they are. */
export function withViewer(tokens: ViewerTokens, handle: ViewerHandle): Handle {
  return (call) => {
    const header = call.request.headers.get('authorization')
    if (header === null) return tokenMissing()
    const token = BEARER.exec(header)?.[1]
    if (token === undefined) return tokenInvalid()
    const claims = tokens.verify(token)
    // Not awaited when it was seen before: a turn of the event loop less on the path of every request.
    if (claims instanceof Promise) return claims.then((found) => (found ? handle(found, call) : tokenInvalid()))
    return claims ? handle(claims, call) : tokenInvalid()
  }
}

function tokenMissing(): Response {
  return toProblem('token-missing', 'Expected the header Authorization: Bearer <token>; POST /v1/session gives one.', {
    headers: { 'www-authenticate': 'Bearer realm="tentpole"' },
  })
}

function tokenInvalid(): Response {
  return toProblem('token-invalid', 'The token is not ours or has expired; POST /v1/session gives a new one.', {
    headers: { 'www-authenticate': 'Bearer realm="tentpole", error="invalid_token"' },
  })
}
