import { createHead, EMPTY, type Entry, type EntryInput, type Head, headBytes, heldBytes } from './entry.ts'
import { type MemoryTierOptions, toMemoryTierSettings } from './options.ts'
import { createPurgeJournal, primaryOf, type Ticket } from './purge-journal.ts'
import { createResidents } from './residents.ts'
import { touch } from './s3-fifo.ts'
import { type ByteSpan, fitsAsSlice, hasSpan, isWholeInHead } from './slices.ts'
import { createCounters, type MemoryStatistics } from './statistics.ts'

/**
 * A cache of immutable bytes and small metadata, hard-bounded in bytes (`bytes() <= bytesMax` at every moment) and
 * evicted by S3-FIFO. An object is a head and slices that come and go one by one.
 *
 * Slices are read and written through the `Entry` that `get` or `set` gave, not by key: a handle on an object that was
 * replaced, purged or evicted meanwhile finds and stores nothing, so two versions of a body never mix.
 * A key is a primary key (which begins with what prefixes are purged by) or a primary key, a line feed and a variant.
 */
export type MemoryTier<M> = {
  /** Counts a use, and a hit or a miss. */
  get(key: string): Entry<M> | undefined
  peek(key: string): Entry<M> | undefined
  /** Stores a head without bytes in place of what was there; undefined when it is larger than one object's share. */
  set(key: string, input: EntryInput<M>): Entry<M> | undefined
  /** The same, unless a purge since the ticket hit this key or these tags. */
  setIfValid(ticket: Ticket, key: string, input: EntryInput<M>): Entry<M> | undefined
  /** New metadata for the same bytes (a 304, RFC 9111, 4.3.4). False when the entry is gone or goes by this. */
  refresh(entry: Entry<M>, input: Omit<EntryInput<M>, 'sizeBytes'>): boolean
  /** The length is known at last. What contradicts it is dropped; a body of one slice becomes `entry.body`. */
  setSize(entry: Entry<M>, sizeBytes: number): boolean
  /** Counts a use. The bytes are shared by all: never written to, never given away. */
  slice(entry: Entry<M>, index: number): Uint8Array | undefined
  /** Takes the bytes over, copying a view of a much larger buffer. False when they are not kept: gone, wrong length, no share. */
  setSlice(entry: Entry<M>, index: number, bytes: Uint8Array): boolean
  /** Whether every byte from `start` to before `end` is here. */
  has(entry: Entry<M>, span: ByteSpan): boolean
  /** At most `variantsMax`. */
  variantsOf(primary: string): Entry<M>[]
  /** The first key in order that is not below this one: to find which folders there are without walking through them. */
  firstKeyFrom(key: string): string | undefined
  /** Purges drop at once and void earlier tickets; they return how many objects went. A primary key's takes its variants. */
  purge(key: string): number
  /** All keys that begin with these characters: end it with `/` to mean a folder. */
  purgePrefix(prefix: string): number
  purgeTag(tag: string): number
  /** To be taken before the origin is asked. */
  ticket(key: string, tags?: readonly string[]): Ticket
  /** Whether `setIfValid` would still store: for who streams what is being fetched. */
  isValid(ticket: Ticket, tags?: readonly string[]): boolean
  bytes(): number
  statistics(): MemoryStatistics
}

export const createMemoryTier = <M>(options: MemoryTierOptions): MemoryTier<M> => {
  const settings = toMemoryTierSettings(options)
  const { sliceBytes, variantsMax } = settings
  const counters = createCounters()
  const residents = createResidents<M>(settings, counters)
  const journal = createPurgeJournal(settings.purgesMax)

  const get = (key: string): Entry<M> | undefined => {
    const head = residents.find(key)
    if (head === undefined) {
      counters.misses += 1
      return undefined
    }
    counters.hits += 1
    touch(head)
    return head
  }

  const counted = (kept: boolean): boolean => {
    if (kept) counters.admitted += 1
    else counters.refused += 1
    return kept
  }

  const variantHeads = (primary: string): Head<M>[] => residents.startingWith(`${primary}\n`, variantsMax)

  /** One variant more than allowed: the least used goes, the first of equals. */
  const makeRoomAmongVariants = (key: string): void => {
    const primary = primaryOf(key)
    if (primary === key) return
    const variants = variantHeads(primary)
    if (variants.length < variantsMax) return
    residents.evict(variants.reduce((least, head) => (head.frequency < least.frequency ? head : least)))
  }

  const set = (key: string, input: EntryInput<M>): Entry<M> | undefined => {
    const head = createHead(key, input, settings)
    const old = residents.find(key)
    // A new version of what is in use keeps its standing: the uses were of the key, not of these bytes.
    const standing = old && { queue: old.queue, frequency: old.frequency }
    if (old !== undefined) residents.remove(old)
    else makeRoomAmongVariants(key)
    return counted(residents.add(head, standing)) ? head : undefined
  }

  const setIfValid = (ticket: Ticket, key: string, input: EntryInput<M>): Entry<M> | undefined => {
    if (journal.holds(ticket, key, input.tags)) return set(key, input)
    counters.refused += 1
    return undefined
  }

  const refresh = (entry: Entry<M>, input: Omit<EntryInput<M>, 'sizeBytes'>): boolean => {
    const head = residents.alive(entry)
    if (head === undefined) return false
    const tags = [...new Set(input.tags)]
    const withoutBody = headBytes(head.key, { ...input, tags, sizeBytes: head.sizeBytes }, settings)
    const next = withoutBody + (head.body ? heldBytes(head.body) : 0)
    if (!residents.growHead(head, next - head.bytes)) {
      // Too large now for its share: the old metadata must not stay in its place.
      if (residents.alive(entry) === head) residents.remove(head)
      return false
    }
    head.meta = input.meta
    residents.retag(head, tags)
    return true
  }

  const setSlice = (entry: Entry<M>, index: number, bytes: Uint8Array): boolean => {
    const head = residents.alive(entry)
    if (head === undefined) return counted(false)
    const { sizeBytes } = head
    if (!fitsAsSlice({ sizeBytes, sliceBytes }, index, bytes.byteLength)) return counted(false)
    if (isWholeInHead(sizeBytes, sliceBytes)) return head.body !== null || counted(residents.setBody(head, bytes))
    const old = head.slices?.get(index)
    if (old !== undefined && old.data.byteLength >= bytes.byteLength) return true
    if (old !== undefined) residents.removeSlice(old)
    return counted(residents.addSlice(head, index, bytes))
  }

  const setSize = (entry: Entry<M>, sizeBytes: number): boolean => {
    const head = residents.alive(entry)
    if (head === undefined || head.sizeBytes !== null) return false
    head.sizeBytes = sizeBytes
    for (const slice of head.slices?.values() ?? []) {
      if (!fitsAsSlice({ sizeBytes, sliceBytes }, slice.index, slice.data.byteLength)) residents.removeSlice(slice)
    }
    if (!isWholeInHead(sizeBytes, sliceBytes)) return true
    const only = head.slices?.get(0)
    if (only !== undefined) residents.removeSlice(only)
    head.slices = null
    const body = sizeBytes === 0 ? EMPTY : only?.data
    // The charge falls by one overhead: this needs no room.
    return body === undefined || residents.setBody(head, body)
  }

  const slice = (entry: Entry<M>, index: number): Uint8Array | undefined => {
    const head = residents.alive(entry)
    const found = head?.slices?.get(index)
    const bytes = found?.data ?? (index === 0 ? head?.body : undefined) ?? undefined
    if (head === undefined || bytes === undefined) {
      counters.sliceMisses += 1
      return undefined
    }
    counters.sliceHits += 1
    touch(head)
    if (found !== undefined) touch(found)
    return bytes
  }

  const purged = (count: number): number => {
    counters.purged += count
    return count
  }

  const removeHead = (head: Head<M> | undefined): number => {
    if (head === undefined) return 0
    residents.remove(head)
    return 1
  }

  const purge = (key: string): number => {
    journal.write({ kind: 'key', value: key })
    return purged(removeHead(residents.find(key)) + residents.removeStartingWith(`${key}\n`))
  }

  const purgePrefix = (prefix: string): number => {
    journal.write({ kind: 'prefix', value: prefix })
    return purged(residents.removeStartingWith(prefix))
  }

  const purgeTag = (tag: string): number => {
    journal.write({ kind: 'tag', value: tag })
    return purged(residents.tagged(tag).reduce((count, head) => count + removeHead(head), 0))
  }

  const has = (entry: Entry<M>, span: ByteSpan): boolean => {
    const head = residents.alive(entry)
    return head !== undefined && hasSpan(head, span, sliceBytes)
  }

  return {
    get,
    peek: residents.find,
    set,
    setIfValid,
    refresh,
    setSize,
    slice,
    setSlice,
    has,
    variantsOf: variantHeads,
    firstKeyFrom: residents.firstKeyFrom,
    purge,
    purgePrefix,
    purgeTag,
    ticket: (key, tags = []) => journal.ticket(key, tags),
    isValid: (ticket, tags = []) => journal.holds(ticket, ticket.key, tags),
    bytes: residents.bytes,
    statistics: () => ({ ...counters, entries: residents.count(), bytes: residents.bytes() }),
  }
}
