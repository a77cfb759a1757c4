/** A bounded number of bits in which any number of ids is remembered: none is forgotten in its time, others may be taken for one. */
export type RevokedFilter = {
  add(sessionId: string, untilMs: number, nowMs: number): void
  has(sessionId: string, nowMs: number): boolean
}

const PROBES = 4

type Generation = { readonly bits: Uint8Array; readonly openedAtMs: number; untilMs: number }

/** Bloom filters, the older of which goes when all in it may be forgotten. Its size is fixed; it is made when it is first needed. */
export function createRevokedFilter(options: { readonly bytes: number; readonly keptMs: number }): RevokedFilter {
  const { bytes, keptMs } = options
  let generations: readonly Generation[] = []
  const youngest = (nowMs: number): Generation => {
    const [young] = generations
    if (young && nowMs - young.openedAtMs <= keptMs) return young
    const opened = { bits: new Uint8Array(bytes), openedAtMs: nowMs, untilMs: 0 }
    generations = young ? [opened, young] : [opened]
    return opened
  }
  return {
    add(sessionId, untilMs, nowMs) {
      const generation = youngest(nowMs)
      generation.untilMs = Math.max(generation.untilMs, untilMs)
      for (const bit of probesOf(sessionId, bytes * 8)) {
        const at = bit >>> 3
        generation.bits[at] = (generation.bits[at] ?? 0) | (1 << (bit & 7))
      }
    },
    has(sessionId, nowMs) {
      const live = generations.filter(({ untilMs }) => untilMs >= nowMs)
      if (live.length === 0) return false
      const probes = probesOf(sessionId, bytes * 8)
      return live.some(({ bits }) => probes.every((bit) => ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0))
    },
  }
}

/** Two hashes give all four (Kirsch and Mitzenmacher, 2006). */
function probesOf(text: string, bits: number): number[] {
  const first = hashOf(text, 0x811c9dc5)
  const second = hashOf(text, 0x9e3779b9) | 1
  return Array.from({ length: PROBES }, (_, probe) => ((first + Math.imul(probe, second)) >>> 0) % bits)
}

/** FNV-1a, finished as MurmurHash3 does: its last characters would otherwise move only the last bits. */
function hashOf(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
