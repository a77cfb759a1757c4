import { LRUCache } from 'lru-cache'
import { type PathKeys, type PathToken, type PathTokenCheck, verifyPathToken } from '../contracts/index.ts'

/** Verifies path tokens and remembers those that passed; their expiry is checked every time. */
export function createPathTokens(options: {
  keys: PathKeys
  tokensMax: number
}): (text: string, nowMs: number) => PathTokenCheck {
  const verified = new LRUCache<string, PathToken>({ max: options.tokensMax })
  return (text, nowMs) => {
    const known = verified.get(text)
    if (known === undefined) {
      const check = verifyPathToken(options.keys, text, nowMs)
      if (check.ok) verified.set(text, check.token)
      return check
    }
    if (known.expiresAtS * 1000 > nowMs) return { ok: true, token: known }
    verified.delete(text)
    return { ok: false, code: 'expired' }
  }
}
