import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createShortId } from '../../kernel/index.ts'

/** `tps_<id>_<secret>`: the id finds the row, the secret (256 random bits) proves. */
export type SpokeToken = { readonly id: string; readonly digest: string; readonly token: string }

const TOKEN = /^tps_([0-9a-z]{16})_([A-Za-z0-9_-]{43})$/

export function createToken(): SpokeToken {
  const id = createShortId()
  const token = `tps_${id}_${randomBytes(32).toString('base64url')}`
  return { id, token, digest: digestOf(token) }
}

/** Null when it cannot be one of ours. */
export function parseToken(text: string): { readonly id: string; readonly token: string } | null {
  const [token, id] = TOKEN.exec(text) ?? []
  return token !== undefined && id !== undefined ? { id, token } : null
}

/** A plain SHA-256 is enough here: what it hides is random, not a password that could be guessed. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Takes the same time wherever they differ. */
export function hasDigest(token: string, digest: string): boolean {
  const given = Buffer.from(digestOf(token))
  const expected = Buffer.from(digest)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
