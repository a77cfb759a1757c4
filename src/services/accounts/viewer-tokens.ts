import { importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { type ViewerClaims, viewerClaimsSchema } from '../../contracts/index.ts'
import { type Clock, createId, Fault, type Limits, systemClock } from '../../kernel/index.ts'

const ALGORITHM = 'EdDSA'

export type Viewer = Pick<ViewerClaims, 'country' | 'tier' | 'platform' | 'cell'>
export type IssuedToken = { readonly viewerId: string; readonly token: string; readonly expiresAtMs: number }

/** Viewers' tokens: Ed25519 JWTs (RFC 7519, RFC 8037) that every cell of the platform makes and believes. */
export type ViewerTokens = {
  /** A token for a new anonymous viewer. */
  issue(viewer: Viewer): Promise<IssuedToken>
  /** The claims of a token that is genuine and not expired, else null. At once when the token was seen before. */
  verify(token: string): ViewerClaims | null | Promise<ViewerClaims | null>
}

/**
 * `key` is the private JWK. Verified tokens are remembered: checking the signature each time would take more than all
 * the rest of a request (DESIGN.md: 18k/s against 50k/s). Fault `viewer-key-invalid` when the key is none.
 */
export async function createViewerTokens(options: {
  key: JsonWebKey
  limits: Pick<Limits, 'viewerTokenTtlMs' | 'viewerTokensMemoMax'>
  clock?: Clock
}): Promise<ViewerTokens> {
  const { key, limits, clock = systemClock } = options
  const { privateKey, publicKey } = await importKeys(key)
  const memo = new LRUCache<string, ViewerClaims>({ max: limits.viewerTokensMemoMax })

  const check = async (token: string): Promise<ViewerClaims | null> => {
    const payload = await jwtVerify(token, publicKey, {
      algorithms: [ALGORITHM],
      currentDate: new Date(clock.nowMs()),
    }).then(
      (verified) => verified.payload,
      () => null,
    )
    const claims = viewerClaimsSchema.safeParse(payload)
    if (!claims.success) return null
    memo.set(token, claims.data)
    return claims.data
  }

  return {
    async issue(viewer) {
      const viewerId = createId(clock.nowMs())
      const exp = Math.floor((clock.nowMs() + limits.viewerTokenTtlMs) / 1000)
      const claims: ViewerClaims = { sub: viewerId, ...viewer, exp }
      const token = await new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' }).sign(privateKey)
      memo.set(token, claims)
      return { viewerId, token, expiresAtMs: exp * 1000 }
    },
    verify(token) {
      const claims = memo.get(token)
      if (!claims) return check(token)
      if (claims.exp * 1000 > clock.nowMs()) return claims
      memo.delete(token)
      return null
    },
  }
}

async function importKeys(key: JsonWebKey): Promise<{
  privateKey: Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>
  publicKey: Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>
}> {
  const { d: _private, key_ops: _use, ...open } = key as JWK
  try {
    const [privateKey, publicKey] = await Promise.all([importJWK(key as JWK, ALGORITHM), importJWK(open, ALGORITHM)])
    if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array || !key.d) throw new Error('no private key')
    return { privateKey, publicKey }
  } catch (cause) {
    throw new Fault(
      'viewer-key-invalid',
      `the key of viewer tokens: expected a private Ed25519 JWK, got kty ${JSON.stringify(key.kty)} crv ${JSON.stringify(key.crv)}; delete the file and the platform makes a new one`,
      { cause },
    )
  }
}
