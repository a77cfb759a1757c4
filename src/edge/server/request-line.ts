import { isPlainPath } from '../target.ts'
import { CR, isTokenOctet, isVisibleOctet, LF, SPACE } from './octets.ts'
import type { RefusalCode } from './refusals.ts'

export type RequestLine = {
  readonly method: string
  /** As it came, visible ASCII. */
  readonly target: string
  readonly minorVersion: 0 | 1
  /** Where the field section begins. */
  readonly next: number
}

const METHOD_LENGTH_MAX = 32
const METHODS: readonly (readonly [method: string, octets: Buffer])[] = ['GET', 'HEAD', 'POST'].map((method) => [
  method,
  Buffer.from(method),
])
const VERSION = Buffer.from('HTTP/')
/** `HTTP/1.1` */
const VERSION_LENGTH = 8
const ZERO = 48
const NINE = 57
const DOT = 46

/** Reads `METHOD SP target SP HTTP/1.x CRLF` (RFC 9112, 3) from `start`, and nothing that only resembles it. */
export function parseRequestLine(bytes: Buffer, start: number, targetBytesMax: number): RequestLine | RefusalCode {
  let methodEnd = start
  while (isTokenOctet(bytes[methodEnd] ?? 0)) methodEnd += 1
  if (bytes[methodEnd] !== SPACE || methodEnd === start) return faultOfMethod(bytes, methodEnd)
  if (methodEnd - start > METHOD_LENGTH_MAX) return 'method-unknown'
  const targetStart = methodEnd + 1
  let targetEnd = targetStart
  while (isVisibleOctet(bytes[targetEnd] ?? 0)) targetEnd += 1
  if (targetEnd - targetStart > targetBytesMax) return 'target-too-long'
  if (bytes[targetEnd] !== SPACE || targetEnd === targetStart) return faultOfTarget(bytes, targetEnd)
  const version = parseVersion(bytes, targetEnd + 1)
  if (typeof version === 'string') return version
  const method = methodOf(bytes, start, methodEnd)
  if (method === 'CONNECT') return 'connect-unsupported'
  const target = bytes.toString('latin1', targetStart, targetEnd)
  return { method, target, minorVersion: version, next: targetEnd + 1 + VERSION_LENGTH + 2 }
}

/** `GET ` */
export const USUAL_BEFORE = 4
export const USUAL_AFTER = ' HTTP/1.1'
const GET_SPACE = 0x47455420

/**
 * The path of `GET /path HTTP/1.1` where nothing about it needs a second look: by far the most lines, read in a third of the
 * time. Null for every other line, good or bad.
 */
export function usualPathOf(bytes: Buffer, start: number, end: number, targetBytesMax: number): string | null {
  if (end - start < 16 || bytes.readUInt32BE(start) !== GET_SPACE) return null
  const lineEnd = bytes.indexOf(CR, start + USUAL_BEFORE)
  if (lineEnd < 0 || bytes[lineEnd + 1] !== LF) return null
  const text = bytes.toString('latin1', start + USUAL_BEFORE, lineEnd)
  if (!text.endsWith(USUAL_AFTER)) return null
  const target = text.slice(0, -USUAL_AFTER.length)
  return target.length <= targetBytesMax && isPlainPath(target) ? target : null
}

/** Case-sensitive (RFC 9110, 9.1). */
function methodOf(bytes: Buffer, start: number, end: number): string {
  for (const [method, octets] of METHODS) {
    if (octets.length === end - start && matches(bytes, start, octets)) return method
  }
  return bytes.toString('latin1', start, end)
}

function matches(bytes: Uint8Array, at: number, octets: Uint8Array): boolean {
  for (let index = 0; index < octets.length; index += 1) {
    if (bytes[at + index] !== octets[index]) return false
  }
  return true
}

/** RFC 9112, 2.3: the name is case-sensitive. Another version is refused as one, also that of HTTP/2's preface (RFC 9113, 3.4). */
function parseVersion(bytes: Uint8Array, at: number): 0 | 1 | RefusalCode {
  const major = bytes[at + 5] ?? 0
  const minor = bytes[at + 7] ?? 0
  if (!matches(bytes, at, VERSION) || !isDigit(major) || bytes[at + 6] !== DOT || !isDigit(minor))
    return faultOfEnd(bytes, at)
  if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return faultOfEnd(bytes, at + 8)
  if (major !== ZERO + 1 || minor > ZERO + 1) return 'version-unsupported'
  return minor === ZERO ? 0 : 1
}

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= NINE
}

function faultOfMethod(bytes: Uint8Array, at: number): RefusalCode {
  const octet = bytes[at] ?? 0
  if (octet === CR || octet === LF || octet === SPACE) return faultOfEnd(bytes, at)
  return 'method-malformed'
}

function faultOfTarget(bytes: Uint8Array, at: number): RefusalCode {
  const octet = bytes[at] ?? 0
  return octet === CR || octet === LF || octet === SPACE ? faultOfEnd(bytes, at) : 'target-malformed'
}

/** A line that ends too early, or is another than expected from here on. */
function faultOfEnd(bytes: Uint8Array, at: number): RefusalCode {
  const bare = bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF)
  return bare ? 'line-ending-malformed' : 'request-line-malformed'
}
