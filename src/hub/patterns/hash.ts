/** A hash of bytes that can go on where it stopped. Of none it is 0. */
export const addToHash = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

/** Hashes in an array of a power of two, 0 where a slot is free: neighbours differ in their last bits only, so those are mixed first. */
export const slotOf = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> 12

/** What stands in a slot for a hash. */
export const toMark = (hash: number): number => (hash === 0 ? 1 : hash)

/** A third of the slots are taken at most, so that most searches end at the first. */
export function slotsFor(count: number): number {
  let slots = 8
  while (slots < count * 3) slots *= 2
  return slots
}
