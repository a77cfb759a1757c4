/**
 * Repeatable chance: 32 bits of state that travel with whoever draws, so that one viewer's draws never depend on how fast
 * a server answered another. The generator is mulberry32 (Tommy Ettinger, public domain): good enough for hesitations,
 * not for secrets.
 */
export type RandomState = number

/** A state of its own for each `index` of one run. */
export function seedOf(seed: number, index: number): RandomState {
  return mix((Math.imul(seed | 0, 0x9e3779b1) + Math.imul(index + 1, 0x85ebca77)) | 0)
}

/** A number from 0 up to but not including 1, and the state to draw the next one from. */
export function draw(state: RandomState): { readonly value: number; readonly next: RandomState } {
  const next = (state + 0x6d2b79f5) | 0
  return { value: (mix(next) >>> 0) / 0x1_0000_0000, next }
}

/** The same as a function that keeps its state: for what is drawn once, before the storm. */
export function createRandom(state: RandomState): () => number {
  let current = state
  return () => {
    const { value, next } = draw(current)
    current = next
    return value
  }
}

function mix(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return mixed ^ (mixed >>> 14)
}
