/** What the bytes of a head may be (RFC 9110, 5.5 and 5.6.2; RFC 5234, B.1). Past the end of the bytes all of them say no. */

export const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const COLON = 58

const DELETE = 127

const TOKEN_OCTETS = new Uint8Array(256)
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  TOKEN_OCTETS[character.charCodeAt(0)] = 1

/** tchar (RFC 9110, 5.6.2). */
export function isTokenOctet(octet: number): boolean {
  return TOKEN_OCTETS[octet] === 1
}

/** What a field's value is made of: visible ASCII, obs-text, space and tab (RFC 9110, 5.5). */
export function isValueOctet(octet: number): boolean {
  return octet >= SPACE ? octet !== DELETE : octet === TAB
}

/** VCHAR (RFC 5234, B.1). */
export function isVisibleOctet(octet: number): boolean {
  return octet > SPACE && octet < DELETE
}

export function isWhitespaceOctet(octet: number): boolean {
  return octet === SPACE || octet === TAB
}
