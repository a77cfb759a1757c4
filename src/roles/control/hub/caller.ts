import type { Handler } from 'hono'
import type { Spoke } from '../../../hub/index.ts'
import { refuseForeignOrigin } from '../browser-safety.ts'
import { toProblem } from '../problem.ts'
import type { HubPorts } from './ports.ts'

/** Who asks. A spoke sees and touches only its own. */
export type Caller =
  | { readonly kind: 'operator' }
  | { readonly kind: 'spoke'; readonly spoke: Spoke & { readonly tokenId: string } }

/** A route that knows who asks; strangers do not get there. */
export type AsCaller = (
  handle: (caller: Caller, request: Request, param: (name: string) => string) => Promise<Response>,
) => Handler

const SPOKE_TOKEN = /^bearer (tps_\S+)$/i

export async function identify(
  request: Request,
  { auth, spokes }: Pick<HubPorts, 'auth' | 'spokes'>,
): Promise<Caller | Response> {
  const authorization = request.headers.get('authorization')
  if (auth.isOperator(authorization)) return { kind: 'operator' }
  const [, token] = SPOKE_TOKEN.exec(authorization ?? '') ?? []
  if (token !== undefined) {
    const spoke = await spokes.authenticate(token)
    return spoke
      ? { kind: 'spoke', spoke }
      : refuseStranger('The token is unknown or revoked; ask the operator for another.')
  }
  if (auth.isSession(request.headers.get('cookie'))) return refuseForeignOrigin(request) ?? { kind: 'operator' }
  return refuseStranger('Expected "Authorization: Bearer <spoke token>", the operator token or the console session.')
}

/** The name that what it makes belongs to; null for the operator. */
export function ownerOf(caller: Caller): string | null {
  return caller.kind === 'spoke' ? caller.spoke.name : null
}

export function mayTouch(caller: Caller, owner: string | null): boolean {
  return caller.kind === 'operator' || caller.spoke.name === owner
}

export function refuseSpoke(caller: Caller): Response | null {
  if (caller.kind === 'operator') return null
  return toProblem({
    status: 403,
    code: 'operator-only',
    detail: 'Only the operator may do this; a spoke token does not.',
  })
}

function refuseStranger(detail: string): Response {
  const headers = { 'www-authenticate': 'Bearer realm="tentpole hub"' }
  return toProblem({ status: 401, code: 'token-needed', detail, headers })
}
