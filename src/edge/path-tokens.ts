import { LRUCache } from 'lru-cache'
import { admitsAddress, coversPath, type PathKeys, type PathTokenCheck, verifyPathToken } from '../contracts/index.ts'

/** As `PathTokenCheck`, and whether the token is for this path and this client. */
export type PathAccess = PathTokenCheck | { readonly ok: false; readonly code: 'other-path' | 'other-network' }

/** `path` is the normalised one without `/v/<token>`, `address` the client's. */
export type CheckPathAccess = (tokenText: string, path: string, address: string, nowMs: number) => PathAccess

type Verified = PathTokenCheck & { readonly ok: true }

const OTHER_PATH: PathAccess = { ok: false, code: 'other-path' }
const OTHER_NETWORK: PathAccess = { ok: false, code: 'other-network' }
const EXPIRED: PathAccess = { ok: false, code: 'expired' }

/**
 * Verifies path tokens and remembers those that passed. Their expiry, path and client are checked every time, and
 * nothing is remembered beyond the keys it was verified with: `keys` gives the same object until a key comes or goes.
 */
export function createPathTokens(options: { keys: () => PathKeys; tokensMax: number }): CheckPathAccess {
  const verified = new LRUCache<string, Verified>({ max: options.tokensMax })
  let keys = options.keys()

  return (tokenText, path, address, nowMs) => {
    const keysNow = options.keys()
    if (keysNow !== keys) {
      verified.clear()
      keys = keysNow
    }
    let check = verified.get(tokenText)
    if (check === undefined) {
      const fresh = verifyPathToken(keys, tokenText, nowMs)
      if (!fresh.ok) return fresh
      check = fresh
      verified.set(tokenText, check)
    } else if (check.token.expiresAtS * 1000 <= nowMs) {
      verified.delete(tokenText)
      return EXPIRED
    }
    if (!coversPath(check.token, path)) return OTHER_PATH
    return admitsAddress(check.token, address) ? check : OTHER_NETWORK
  }
}
