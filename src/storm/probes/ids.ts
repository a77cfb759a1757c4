import { createHash } from 'node:crypto'

/**
 * Numbers for ids, from 0 in the order they came: what is known of an id then lives in arrays beside. 16 bytes an id and
 * 4 to 16 for finding it again, where a Map of strings takes over a hundred: a storm makes them by the hundred thousand.
 */
export type Ids = {
  /** The id's number; the next one when it is new. */
  add(id: string): number
  /** Null when the id was never added. */
  find(id: string): number | null
  size(): number
}

/** A number for each number, 0 until it is set. Grows by itself. */
export type Column = { get(at: number): number; set(at: number, value: number): void }

const WORDS = 4
const FIRST_SIZE = 1_024

export function createIds(): Ids {
  let words = new Uint32Array(FIRST_SIZE * WORDS)
  /** The number plus one, 0 where nothing is; at most half full, so that a run of taken slots stays short. */
  let slots = new Int32Array(FIRST_SIZE * 2)
  let size = 0
  const wanted = new Uint32Array(WORDS)

  const holds = (at: number): boolean => {
    for (let word = 0; word < WORDS; word++) if (words[at * WORDS + word] !== wanted[word]) return false
    return true
  }
  /** Where `wanted` is, or where it would go. */
  const slotOf = (): number => {
    const mask = slots.length - 1
    let slot = mix(wanted) & mask
    for (let taken = slots[slot] ?? 0; taken !== 0 && !holds(taken - 1); taken = slots[slot] ?? 0)
      slot = (slot + 1) & mask
    return slot
  }
  const grow = (): void => {
    const larger = new Uint32Array(words.length * 2)
    larger.set(words)
    words = larger
    slots = new Int32Array(slots.length * 2)
    for (let at = 0; at < size; at++) {
      wanted.set(words.subarray(at * WORDS, (at + 1) * WORDS))
      slots[slotOf()] = at + 1
    }
  }

  return {
    add(id) {
      if ((size + 1) * WORDS > words.length) grow()
      toWords(id, wanted)
      const slot = slotOf()
      const taken = slots[slot] ?? 0
      if (taken !== 0) return taken - 1
      words.set(wanted, size * WORDS)
      slots[slot] = size + 1
      size += 1
      return size - 1
    },
    find(id) {
      toWords(id, wanted)
      const taken = slots[slotOf()] ?? 0
      return taken === 0 ? null : taken - 1
    },
    size: () => size,
  }
}

export function createColumn(make: (length: number) => Uint8Array | Uint32Array): Column {
  let values = make(FIRST_SIZE)
  return {
    get: (at) => values[at] ?? 0,
    set(at, value) {
      while (at >= values.length) {
        const larger = make(values.length * 2)
        larger.set(values)
        values = larger
      }
      values[at] = value
    },
  }
}

/** A UUID is its own 128 bits; of any other text a digest stands for it. */
function toWords(id: string, into: Uint32Array): void {
  if (parseUuid(id, into)) return
  const digest = createHash('sha256').update(id).digest()
  for (let word = 0; word < WORDS; word++) into[word] = digest.readUInt32LE(word * 4)
}

function parseUuid(id: string, into: Uint32Array): boolean {
  if (id.length !== 36) return false
  let digits = 0
  let value = 0
  for (let at = 0; at < 36; at++) {
    const code = id.charCodeAt(at)
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (code !== 45) return false
      continue
    }
    // Lower case only, as ours are: two spellings of one UUID are two texts, and the log compares texts.
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1
    if (digit < 0) return false
    value = (value << 4) | digit
    digits += 1
    if (digits % 8 === 0) into[digits / 8 - 1] = value
  }
  return true
}

/** UUIDs of version 7 share their first words; the last two are chance. */
function mix(words: Uint32Array): number {
  const mixed = Math.imul((words[3] ?? 0) ^ Math.imul((words[2] ?? 0) ^ (words[1] ?? 0), 0x85ebca6b), 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
