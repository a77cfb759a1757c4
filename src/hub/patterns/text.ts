import { foldCase } from './fold-case.ts'

/**
 * One text at a time, as UTF-8 and a hash of it: what tables are asked with. Text of an event in bytes is looked at where it lies,
 * so that no string has to be made of what is only compared.
 */
export type Text = { bytes: Uint8Array; start: number; end: number; hash: number; readonly own: { bytes: Uint8Array } }

export function createText(): Text {
  const bytes = new Uint8Array(1_024)
  return { bytes, start: 0, end: 0, hash: 0, own: { bytes } }
}

/** The hash of nothing is 0. */
export const addToHash = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Any string; half of a surrogate pair becomes U+FFFD. */
export function loadString(text: Text, value: string): void {
  const { length } = value
  // In UTF-8 a code unit takes three bytes at most.
  if (length * 3 > text.own.bytes.length) text.own.bytes = new Uint8Array(length * 6)
  const { bytes } = text.own
  let hash = 0
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at)
    if (code >= 0x80) {
      loadBytes(text, bytes, 0, encoder.encodeInto(value, bytes).written)
      return
    }
    bytes[at] = code
    hash = addToHash(hash, code)
  }
  text.bytes = bytes
  text.start = 0
  text.end = length
  text.hash = hash
}

export function loadBytes(text: Text, bytes: Uint8Array, start: number, end: number): void {
  let hash = 0
  for (let at = start; at < end; at += 1) hash = addToHash(hash, bytes[at] ?? 0)
  text.bytes = bytes
  text.start = start
  text.end = end
  text.hash = hash
}

/** Another text in the case in which cases are compared. */
export function loadFolded(text: Text, { bytes: from, start, end }: Text): void {
  const length = end - start
  if (length > text.own.bytes.length) text.own.bytes = new Uint8Array(length * 2)
  const { bytes } = text.own
  let hash = 0
  for (let at = 0; at < length; at += 1) {
    const byte = from[start + at] ?? 0
    if (byte >= 0x80) {
      loadString(text, foldCase(decoder.decode(from.subarray(start, end))))
      return
    }
    const upper = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
    bytes[at] = upper
    hash = addToHash(hash, upper)
  }
  text.bytes = bytes
  text.start = 0
  text.end = length
  text.hash = hash
}

export const toText = ({ bytes, start, end }: Text): string => decoder.decode(bytes.subarray(start, end))
