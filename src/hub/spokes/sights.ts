import type { AnyEvent } from '../../contracts/index.ts'
import type { Row } from '../../engines/tables/index.ts'
import { describeError, type Logger } from '../../kernel/index.ts'
import { createSight } from './grants.ts'
import { toSpoke } from './rows.ts'

/** `withheld`: none of its patterns allows the event. `revoked`: there is no such spoke (any more). */
export type Sight = 'visible' | 'withheld' | 'revoked'

export type Heard = { isCurrent(name: string, tokenId: string): boolean }

type Known = { readonly tokenId: string; readonly patterns: string; readonly sees: (event: AnyEvent) => boolean }

/** What each spoke may see, in memory, since every delivery asks. */
export function createSights(options: { load(): Promise<readonly Row[]>; logger: Logger }): {
  refresh(): Promise<void>
  look(name: string, event: AnyEvent): Promise<Sight>
  sight(name: string, event: AnyEvent): Sight | null
  hasHeard(): boolean
  onHeard(listener: (heard: Heard) => void): () => void
} {
  const { load, logger } = options
  let known: ReadonlyMap<string, Known> | null = null
  const listeners = new Set<(heard: Heard) => void>()
  /** One after the other: an answer that was read earlier must not replace a later one. */
  let last: Promise<unknown> = Promise.resolve()

  const hear = async (): Promise<void> => {
    const before = known
    const rows = await load()
    const now = new Map(rows.map((row) => [String(row['name']), toKnown(row, before?.get(String(row['name'])))]))
    known = now
    for (const listener of [...listeners])
      listener({ isCurrent: (name, tokenId) => now.get(name)?.tokenId === tokenId })
  }
  const queueHear = (): Promise<void> => {
    const next = last.then(hear)
    last = next.catch(() => {})
    return next
  }
  const sight = (name: string, event: AnyEvent): Sight | null => {
    if (known === null) return null
    const spoke = known.get(name)
    if (!spoke) return 'revoked'
    return spoke.sees(event) ? 'visible' : 'withheld'
  }
  return {
    sight,
    hasHeard: () => known !== null,
    refresh: () =>
      queueHear().catch((error: unknown) =>
        logger.warn('the spokes could not be read; those known stay in effect', { error: describeError(error) }),
      ),
    async look(name, event) {
      const seen = sight(name, event)
      if (seen !== null && seen !== 'revoked') return seen
      // One that was made elsewhere a moment ago may not have been heard of.
      await queueHear()
      return sight(name, event) ?? 'revoked'
    },
    onHeard(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** Patterns are not compiled anew while they are the same. */
function toKnown(row: Row, before: Known | undefined): Known {
  const tokenId = String(row['token_id'])
  const patterns = String(row['patterns'])
  return { tokenId, patterns, sees: before?.patterns === patterns ? before.sees : createSight(toSpoke(row)) }
}
