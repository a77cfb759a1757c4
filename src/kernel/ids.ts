import { randomFillSync } from 'node:crypto'

const entropy = new Uint8Array(10 * 512)
let entropyUsed = entropy.length
let lastMs = 0
let sequence = 0

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A UUIDv7 (RFC 9562, section 5.7) in its canonical lower-case form. Ids made by one process sort in the order they
 * were made: `rand_a` holds a counter within the millisecond (method 1 of section 6.2), the rest is random.
 */
export function createId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs
    sequence = 0
  } else if (++sequence > 0xfff) {
    lastMs += 1
    sequence = 0
  }
  if (entropyUsed + 8 > entropy.length) {
    randomFillSync(entropy)
    entropyUsed = 0
  }
  const at = entropyUsed
  entropyUsed += 8
  const high = Math.floor(lastMs / 0x1_0000_0000)
  const low = lastMs % 0x1_0000_0000
  const hex = (value: number): string => HEX[value & 0xff] ?? '00'
  const random = (index: number): string => hex(entropy[at + index] ?? 0)
  return (
    hex(high >>> 8) +
    hex(high) +
    hex(low >>> 24) +
    hex(low >>> 16) +
    '-' +
    hex(low >>> 8) +
    hex(low) +
    '-' +
    hex(0x70 | (sequence >>> 8)) +
    hex(sequence) +
    '-' +
    hex(0x80 | ((entropy[at] ?? 0) & 0x3f)) +
    random(1) +
    '-' +
    random(2) +
    random(3) +
    random(4) +
    random(5) +
    random(6) +
    random(7)
  )
}

/** A short, URL-safe, unguessable id of 80 random bits in Crockford base 32 (16 characters), for what people see and type. */
export function createShortId(): string {
  const bytes = randomFillSync(new Uint8Array(10))
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let index = 0; index < 16; index++) {
    text = '0123456789abcdefghjkmnpqrstvwxyz'.charAt(Number(bits & 31n)) + text
    bits >>= 5n
  }
  return text
}
