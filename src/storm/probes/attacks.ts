/** A path that must not give media, and why it must not. */
export type Attack = { readonly name: string; readonly path: string }

export type AttackedFile = {
  /** The path token of a session that plays the title. */
  readonly token: string
  readonly titleId: string
  /** Below the title: `v240/3.m4s`. */
  readonly file: string
  /** A genuine token of another title. */
  readonly other: { readonly token: string; readonly titleId: string } | null
  /** Genuine but for its time. */
  readonly expiredToken: string | null
  /** The key under which the engine keeps the file. */
  readonly objectKey: string | null
}

/** Every way in that is tried, the plainest first. All paths are sent as they are here. */
export function listAttacks(attacked: AttackedFile): readonly Attack[] {
  const { token, titleId, file, other, expiredToken, objectKey } = attacked
  const [claims = '', signature = ''] = token.split('.')
  const below = `${titleId}/${file}`
  const garbled = `${claims}.${garble(signature)}`
  return [
    { name: 'no token', path: `/v/${below}` },
    { name: 'a signature with one character changed', path: `/v/${garbled}/${below}` },
    { name: 'claims with one character changed', path: `/v/${garble(claims)}.${signature}/${below}` },
    { name: 'claims with a later expiry', path: `/v/${prolong(claims)}.${signature}/${below}` },
    { name: 'a signature cut short', path: `/v/${claims}.${signature.slice(0, -4)}/${below}` },
    { name: 'no signature', path: `/v/${claims}./${below}` },
    { name: 'an empty token', path: `/v//${below}` },
    ...(other ? listAttacksOfOther(other, below) : []),
    ...(expiredToken ? [{ name: 'an expired token', path: `/v/${expiredToken}/${below}` }] : []),
    { name: 'a cell’s own address', path: `/_media/${below}` },
    { name: 'a cell’s own address, encoded', path: `/%5fmedia/${below}` },
    { name: 'a cell’s own address from the API', path: `/v1/../_media/${below}` },
    { name: 'a cell’s own address from the API, encoded', path: `/v1/%2e%2e/_media/${below}` },
    { name: 'public artwork', path: `/art/${below}` },
    { name: 'public artwork, one up', path: `/art/${titleId}/poster.jpg/../${file}` },
    { name: 'two slashes', path: `//v/${garbled}/${below}` },
    { name: 'two slashes further on', path: `/v/${garbled}//${below}` },
    { name: 'one up from a garbled token', path: `/v/${garbled}/../${below}` },
    { name: 'one up from a garbled token, encoded', path: `/v/${garbled}/%2e%2e/${below}` },
    { name: 'the objects', path: `/objects/${objectKey ?? `titles/${below}`}` },
    { name: 'the object under a garbled token', path: `/v/${garbled}/${objectKey ?? `titles/${below}`}` },
  ]
}

function listAttacksOfOther(other: { token: string; titleId: string }, below: string): readonly Attack[] {
  return [
    { name: 'a token of another title', path: `/v/${other.token}/${below}` },
    { name: 'one up from another title', path: `/v/${other.token}/${other.titleId}/../${below}` },
    { name: 'one up from another title, encoded', path: `/v/${other.token}/${other.titleId}/%2e%2e/${below}` },
    { name: 'one up from another title, all encoded', path: `/v/${other.token}/${other.titleId}/%2e%2e%2f${below}` },
  ]
}

/** From the middle: the last character of base64url may hold bits that mean nothing. */
function garble(text: string): string {
  const at = Math.floor(text.length / 2)
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

/** The claims read as `<key>~<expiry>~…`; as they are when they read otherwise. */
function prolong(claims: string): string {
  const text = Buffer.from(claims, 'base64url').toString('latin1')
  const later = text.replace(/^([^~]*~)(\d+)~/, (_, key: string, expiry: string) => `${key}${Number(expiry) + 86_400}~`)
  return Buffer.from(later, 'latin1').toString('base64url')
}
