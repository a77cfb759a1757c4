/**
 * The purges of late, so that a fetch that began before one cannot store after it. A ticket is the journal's length
 * when the fetch began; it holds as long as nothing written since speaks of its key or tags.
 */
export type Purge = { readonly kind: 'key' | 'prefix' | 'tag'; readonly value: string }

/** Taken before a request to the origin is sent. */
export type Ticket = { readonly key: string; readonly tags: readonly string[]; readonly generation: number }

export type PurgeJournal = {
  write(purge: Purge): void
  /** `tags` are those known before the answer: more can be named when it is there. */
  ticket(key: string, tags: readonly string[]): Ticket
  /** False when a purge since the ticket hit its key or tags, or `key` or `tags`, and when the ticket is too old to tell. */
  holds(ticket: Ticket, key: string, tags: readonly string[]): boolean
}

/** The primary key of a variant: what stands before the line feed. */
export const primaryOf = (key: string): string => {
  const end = key.indexOf('\n')
  return end === -1 ? key : key.slice(0, end)
}

type Subject = { readonly keys: readonly string[]; readonly tags: readonly string[] }

const HITS: Record<Purge['kind'], (value: string, subject: Subject) => boolean> = {
  // The purge of a primary key is one of all its variants.
  key: (value, { keys }) => keys.some((key) => key === value || primaryOf(key) === value),
  prefix: (value, { keys }) => keys.some((key) => key.startsWith(value)),
  tag: (value, { tags }) => tags.includes(value),
}

export const createPurgeJournal = (purgesMax: number): PurgeJournal => {
  const purges: Purge[] = []
  let generation = 0

  const write = (purge: Purge): void => {
    purges[generation % purgesMax] = purge
    generation += 1
  }

  const holds = (ticket: Ticket, key: string, tags: readonly string[]): boolean => {
    if (ticket.generation === generation) return true
    // Better not stored than stale: the journal no longer reaches back to this ticket.
    if (generation - ticket.generation > purgesMax) return false
    const subject = { keys: [ticket.key, key], tags: [...ticket.tags, ...tags] }
    for (let at = ticket.generation; at < generation; at++) {
      const purge = purges[at % purgesMax]
      if (purge === undefined || HITS[purge.kind](purge.value, subject)) return false
    }
    return true
  }

  return { write, ticket: (key, tags) => ({ key, tags, generation }), holds }
}
