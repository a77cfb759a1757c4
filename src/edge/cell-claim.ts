import { LRUCache } from 'lru-cache'

const UNKNOWN = ''

/**
 * Which cell an `Authorization` header's viewer lives in: the token's `cell` claim, read WITHOUT verification and
 * remembered by token. Good for routing only; the cell verifies. Null when there is no such claim.
 */
export function createCellClaims(options: { tokensMax: number }): (authorization: string | null) => string | null {
  const known = new LRUCache<string, string>({ max: options.tokensMax })
  return (authorization) => {
    if (authorization === null) return null
    let cell = known.get(authorization)
    if (cell === undefined) {
      cell = readCellClaim(authorization) ?? UNKNOWN
      known.set(authorization, cell)
    }
    return cell === UNKNOWN ? null : cell
  }
}

export function readCellClaim(authorization: string): string | null {
  const from = authorization.indexOf('.') + 1
  const to = authorization.indexOf('.', from)
  if (from === 0 || to < 0) return null
  try {
    const claims = JSON.parse(Buffer.from(authorization.slice(from, to), 'base64url').toString()) as unknown
    if (typeof claims !== 'object' || claims === null || !('cell' in claims)) return null
    return typeof claims.cell === 'string' ? claims.cell : null
  } catch {
    return null
  }
}
