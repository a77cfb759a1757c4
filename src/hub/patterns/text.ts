import { foldCase } from './fold-case.ts'

/**
 * One text at a time, as UTF-8: what tables are asked with. Text of an event in bytes is looked at where it lies, so that no string
 * has to be made of what is only compared.
 */
export type Text = { bytes: Uint8Array; start: number; end: number; room: Uint8Array }

export function createText(): Text {
  const room = new Uint8Array(1_024)
  return { bytes: room, start: 0, end: 0, room }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function loadBytes(text: Text, bytes: Uint8Array, start: number, end: number): void {
  text.bytes = bytes
  text.start = start
  text.end = end
}

/** Any string; half of a surrogate pair becomes U+FFFD. */
export function loadString(text: Text, value: string): void {
  const { length } = value
  // In UTF-8 a code unit takes three bytes at most.
  const room = roomFor(text, length * 3)
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at)
    if (code >= 0x80) {
      loadBytes(text, room, 0, encoder.encodeInto(value, room).written)
      return
    }
    room[at] = code
  }
  loadBytes(text, room, 0, length)
}

/** Another text in the case in which cases are compared. */
export function loadFolded(text: Text, { bytes, start, end }: Text): void {
  const length = end - start
  const room = roomFor(text, length)
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[start + at] ?? 0
    if (byte >= 0x80) {
      loadString(text, foldCase(decoder.decode(bytes.subarray(start, end))))
      return
    }
    room[at] = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte
  }
  loadBytes(text, room, 0, length)
}

function roomFor(text: Text, length: number): Uint8Array {
  if (length > text.room.length) text.room = new Uint8Array(length * 2)
  return text.room
}

export const toText = ({ bytes, start, end }: Text): string => decoder.decode(bytes.subarray(start, end))
