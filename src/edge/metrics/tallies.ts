import { type EdgeTally, OTHER_NAME } from '../../contracts/index.ts'
import type { TopOutcome } from '../memory/index.ts'

export type Tallies = {
  count(name: string, bytes: number, outcome: TopOutcome): void
  /** Most requests first; `other` last, and only once something was counted there. */
  list(): EdgeTally[]
}

type Tally = { -readonly [field in keyof EdgeTally]: EdgeTally[field] } & { wasUsed: boolean }

/** How many names are looked at for one that may go. */
const LOOKS_MAX = 16

/**
 * Counts by name, of at most `namesMax` names. A new name beyond that takes the place of one that was not seen for a whole
 * round (the clock algorithm, over the order of entry); when the next few of them all were, it has no place and is counted as
 * `other`. So what is asked for tonight is named however many names there were before. Every request is counted under one
 * name, once: what leaves is forgotten, not added to `other`, where a sum of rates would see all of it a second time.
 */
export function createTallies({ namesMax }: { readonly namesMax: number }): Tallies {
  const byName = new Map<string, Tally>()
  const other = createTally(OTHER_NAME)

  const hasRoom = (): boolean => {
    if (byName.size < namesMax) return true
    let looks = Math.min(LOOKS_MAX, namesMax)
    // What is put back comes last, and would be met again.
    for (const [name, tally] of byName) {
      if (looks-- === 0) return false
      byName.delete(name)
      if (!tally.wasUsed) return true
      tally.wasUsed = false
      byName.set(name, tally)
    }
    return false
  }

  const enter = (name: string): Tally => {
    if (!hasRoom()) return other
    const tally = createTally(name)
    byName.set(name, tally)
    return tally
  }

  return {
    count(name, bytes, outcome) {
      const known = byName.get(name)
      const tally = name === OTHER_NAME ? other : (known ?? enter(name))
      // Not by its first request: a scan of names, each asked for once, pushes out nobody but itself.
      if (known !== undefined) known.wasUsed = true
      tally.requests += 1
      tally.bytes += bytes
      if (outcome !== null) tally[outcome] += 1
    },
    list() {
      const named = [...byName.values()].sort((a, b) => b.requests - a.requests || (a.name < b.name ? -1 : 1))
      return [...named, ...(other.requests > 0 ? [other] : [])].map(({ wasUsed: _, ...tally }) => tally)
    },
  }
}

function createTally(name: string): Tally {
  return { name, requests: 0, hits: 0, stale: 0, misses: 0, bytes: 0, wasUsed: false }
}
