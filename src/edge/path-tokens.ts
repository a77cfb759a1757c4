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
  const memo = createVerifiedMemo(options.tokensMax)
  let keys = options.keys()

  return (tokenText, path, address, nowMs) => {
    const keysNow = options.keys()
    if (keysNow !== keys) {
      memo.clear()
      keys = keysNow
    }
    let check = memo.get(tokenText)
    if (check === undefined) {
      const fresh = verifyPathToken(keys, tokenText, nowMs)
      if (!fresh.ok) return fresh
      check = fresh
      memo.set(tokenText, check)
    } else if (check.token.expiresAtS * 1000 <= nowMs) return EXPIRED
    if (!coversPath(check.token, path)) return OTHER_PATH
    return admitsAddress(check.token, address) ? check : OTHER_NETWORK
  }
}

/** Two generations instead of an order of use: a hit is one look-up, on a path that every request takes. */
function createVerifiedMemo(tokensMax: number): {
  get(text: string): Verified | undefined
  set(text: string, check: Verified): void
  clear(): void
} {
  const generationMax = Math.max(1, Math.floor(tokensMax / 2))
  let young = new Map<string, Verified>()
  let old = new Map<string, Verified>()
  const set = (text: string, check: Verified): void => {
    if (young.size >= generationMax) {
      old = young
      young = new Map()
    }
    young.set(text, check)
  }
  return {
    get(text) {
      const found = young.get(text)
      if (found !== undefined) return found
      const older = old.get(text)
      if (older !== undefined) set(text, older)
      return older
    },
    set,
    clear() {
      young = new Map()
      old = new Map()
    },
  }
}
