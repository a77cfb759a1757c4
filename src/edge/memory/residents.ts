import type { Entry, Head, Resident, Slice } from './entry.ts'
import { createSlice, heldBytes, ownBytes } from './entry.ts'
import type { MemoryTierSettings } from './options.ts'
import { createS3Fifo, type Standing, touch } from './s3-fifo.ts'
import { createSortedKeys } from './sorted-keys.ts'
import type { Counters } from './statistics.ts'
import { createTagIndex } from './tag-index.ts'

/**
 * What is in memory, under every index it is found by. Room is always made before anything is added, so the bound holds
 * at every moment; making room may evict the very object that grows, so each addition says whether it took place.
 */
export type Residents<M> = {
  readonly count: () => number
  readonly bytes: () => number
  find(key: string): Head<M> | undefined
  /** The head behind a handle, unless it has left. */
  alive(entry: Entry<M>): Head<M> | undefined
  startingWith(prefix: string, countMax: number): Head<M>[]
  /** The first key that is not below this one. */
  firstKeyFrom(key: string): string | undefined
  tagged(tag: string): Head<M>[]
  add(head: Head<M>, standing?: Standing): boolean
  setBody(head: Head<M>, bytes: Uint8Array): boolean
  addSlice(head: Head<M>, index: number, bytes: Uint8Array): boolean
  removeSlice(slice: Slice<M>): void
  /** Charges the head for so many bytes more, or fewer. */
  growHead(head: Head<M>, bytes: number): boolean
  retag(head: Head<M>, tags: readonly string[]): void
  /** Removes a head and its slices. */
  remove(head: Head<M>): void
  /** The same, as an eviction. */
  evict(head: Head<M>): void
  /** Removes all whose key begins so, and says how many. */
  removeStartingWith(prefix: string): number
}

export const createResidents = <M>(settings: MemoryTierSettings, counters: Counters): Residents<M> => {
  const heads = new Map<string, Head<M>>()
  const keys = createSortedKeys()
  const tags = createTagIndex<Head<M>>()
  const objectBytesMax = Math.floor(settings.bytesMax * settings.objectShareMax)

  /** Takes out everything but the key's place in the order, and the head's place in its queue. */
  const detach = (head: Head<M>): void => {
    heads.delete(head.key)
    tags.remove(head.tags, head)
    if (head.slices === null) return
    for (const slice of head.slices.values()) policy.remove(slice)
    counters.slices -= head.slices.size
    head.slices = null
  }

  const unlinkSlice = ({ head, index, bytes }: Slice<M>): void => {
    head.slices?.delete(index)
    head.objectBytes -= bytes
    counters.slices -= 1
  }

  const onEvict = (evicted: Resident<M>): void => {
    counters.evicted += 1
    if (evicted.kind === 'slice') {
      unlinkSlice(evicted)
      settings.onEvict({ key: evicted.head.key, sliceIndex: evicted.index, bytes: evicted.bytes })
      return
    }
    detach(evicted)
    keys.remove(evicted.key)
    settings.onEvict({ key: evicted.key, sliceIndex: null, bytes: evicted.objectBytes })
  }

  const policy = createS3Fifo<Resident<M>>({ bytesMax: settings.bytesMax, onEvict })

  const isHere = (head: Head<M>): boolean => heads.get(head.key) === head

  /** Makes room for a part of an object, within the object's share; false if it has none or left to make room. */
  const makeRoomIn = (head: Head<M>, bytes: number): boolean => {
    if (head.objectBytes + bytes > objectBytesMax) return false
    if (bytes > 0) policy.makeRoom(bytes)
    return isHere(head)
  }

  const add = (head: Head<M>, standing?: Standing): boolean => {
    if (head.bytes > objectBytesMax) return false
    policy.makeRoom(head.bytes)
    policy.insert(head, standing)
    heads.set(head.key, head)
    keys.add(head.key)
    tags.add(head.tags, head)
    return true
  }

  const growHead = (head: Head<M>, bytes: number): boolean => {
    if (!makeRoomIn(head, bytes)) return false
    policy.grow(head, bytes)
    head.objectBytes += bytes
    return true
  }

  const setBody = (head: Head<M>, bytes: Uint8Array): boolean => {
    const owned = ownBytes(bytes)
    if (!growHead(head, heldBytes(owned))) return false
    head.body = owned
    return true
  }

  const addSlice = (head: Head<M>, index: number, bytes: Uint8Array): boolean => {
    const owned = ownBytes(bytes)
    if (!makeRoomIn(head, heldBytes(owned) + settings.entryOverheadBytes)) return false
    const slice = createSlice(head, index, owned, settings.entryOverheadBytes)
    policy.insert(slice)
    // The head is worth as much as its slices: without it they could not be found.
    touch(head)
    head.slices ??= new Map()
    head.slices.set(index, slice)
    head.objectBytes += slice.bytes
    counters.slices += 1
    return true
  }

  const removeSlice = (slice: Slice<M>): void => {
    policy.remove(slice)
    unlinkSlice(slice)
  }

  const forget = (head: Head<M>): void => {
    detach(head)
    policy.remove(head)
  }

  const remove = (head: Head<M>): void => {
    forget(head)
    keys.remove(head.key)
  }

  const evict = (head: Head<M>): void => {
    policy.remove(head)
    onEvict(head)
  }

  const removeStartingWith = (prefix: string): number => {
    const taken = keys.takeStartingWith(prefix)
    for (const head of toHeads(taken)) forget(head)
    return taken.length
  }

  const toHeads = (found: readonly string[]): Head<M>[] =>
    found.map((key) => heads.get(key)).filter((head) => head !== undefined)

  const retag = (head: Head<M>, next: readonly string[]): void => {
    tags.remove(head.tags, head)
    head.tags = next
    tags.add(next, head)
  }

  return {
    count: () => heads.size,
    bytes: policy.bytes,
    find: (key) => heads.get(key),
    alive: (entry) => {
      const head = heads.get(entry.key)
      return head === entry ? head : undefined
    },
    startingWith: (prefix, countMax) => toHeads(keys.startingWith(prefix, countMax)),
    firstKeyFrom: keys.firstFrom,
    tagged: tags.membersOf,
    add,
    setBody,
    addSlice,
    removeSlice,
    growHead,
    retag,
    remove,
    evict,
    removeStartingWith,
  }
}
