import { createHash, type Hash, timingSafeEqual } from 'node:crypto'

/** What the tus checksum extension may be asked for here. */
export const CHECKSUM_ALGORITHMS: readonly string[] = ['sha1', 'sha256']

export type ExpectedChecksum = { readonly algorithm: string; readonly digest: Uint8Array }

/** `Upload-Checksum: <algorithm> <base64>`; null without one, `invalid` when it is malformed or of another algorithm. */
export function parseChecksum(header: string | null): ExpectedChecksum | null | 'invalid' {
  if (header === null) return null
  const [algorithm = '', base64 = '', ...rest] = header.trim().split(/ +/)
  if (rest.length > 0 || !CHECKSUM_ALGORITHMS.includes(algorithm) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    return 'invalid'
  const digest = Buffer.from(base64, 'base64')
  return digest.byteLength === createHash(algorithm).digest().byteLength ? { algorithm, digest } : 'invalid'
}

export function createChecksum(expected: ExpectedChecksum): { update(bytes: Uint8Array): void; matches(): boolean } {
  const hash: Hash = createHash(expected.algorithm)
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    matches: () => timingSafeEqual(hash.digest(), expected.digest),
  }
}
