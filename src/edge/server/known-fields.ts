/**
 * Fields the server acts on, and fields that must come once. Lists (RFC 9110, 5.6.1) may come on several lines; these are no
 * lists (5.3), so of two lines one hop takes the first, one the last, one joins them: each decides who asks, what is asked
 * for, how long it is, or what a browser is protected by. A name's bit is 1 shifted by its place.
 */
const MARKED = [
  'host',
  'content-length',
  'transfer-encoding',
  // Lists, but the server's own.
  'connection',
  'expect',
  // Who asks. Node joins two `Cookie` lines by "; ", others by ", " (RFC 6265, 5.4 allows one).
  'authorization',
  'proxy-authorization',
  'cookie',
  'from',
  'origin',
  'referer',
  'user-agent',
  // What is asked for.
  'range',
  'if-range',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  // What the content is.
  'content-type',
  'content-range',
  'content-location',
  'date',
] as const

export const HOST: number = 1 << 0
export const CONTENT_LENGTH: number = 1 << 1
export const TRANSFER_ENCODING: number = 1 << 2
export const CONNECTION: number = 1 << 3
export const EXPECT: number = 1 << 4

/** What clients send anyway: their names are known here so that no text is made of them for each request. */
const COMMON = [
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'pragma',
  'if-match',
  'if-none-match',
  'priority',
  'dnt',
  'te',
  'upgrade-insecure-requests',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-requested-with',
  'traceparent',
] as const

const NAMES: readonly string[] = [...MARKED, ...COMMON]
const LETTER_BIT = 0x20
const SLOTS = 4096
const NONE = -1

/** One step of a name's hash; letters count alike in both cases. */
export function hashOctet(hash: number, octet: number): number {
  return (Math.imul(hash, 33) + (octet | LETTER_BIT)) | 0
}

/** Which of the names a hash can only belong to: one is then compared, none looked up. */
const PLACE_BY_HASH: Int8Array = toPlaces()

function toPlaces(): Int8Array {
  const places = new Int8Array(SLOTS).fill(NONE)
  for (const [place, name] of NAMES.entries()) {
    const slot = Buffer.from(name).reduce(hashOctet, 0) & (SLOTS - 1)
    const taken = places[slot] ?? NONE
    if (taken !== NONE)
      throw new Error(`${name}: expected a slot of its own, got that of ${NAMES[taken]}; change SLOTS`)
    places[slot] = place
  }
  return places
}

/** The place of the name in `bytes[from, to)`, a token with this hash; -1 when it is none of them. */
export function placeOfName(bytes: Uint8Array, from: number, to: number, hash: number): number {
  const place = PLACE_BY_HASH[hash & (SLOTS - 1)] ?? NONE
  const name = NAMES[place]
  if (name === undefined || name.length !== to - from) return NONE
  for (let index = 0; index < name.length; index += 1) {
    // Exact for tokens: the only other octet that becomes "-" so is CR.
    if (((bytes[from + index] ?? 0) | LETTER_BIT) !== name.charCodeAt(index)) return NONE
  }
  return place
}

/** In lower case. */
export function nameAt(place: number): string | undefined {
  return NAMES[place]
}

/** 0 for fields that are not marked. */
export function bitOf(place: number): number {
  return place >= 0 && place < MARKED.length ? 1 << place : 0
}
