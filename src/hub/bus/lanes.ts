import { createQueue } from '../../kernel/index.ts'

/** What lies in a lane: a link of its list, so that a key that comes once costs no list of its own. */
export type Link<T> = { readonly key: string; readonly bytes: number; next: T | null }

type Lane<T> = {
  readonly key: string
  first: T | null
  last: T | null
  isBusy: boolean
  /** Busy with something that lay in it. */
  isTaken: boolean
  isBlocked: boolean
  isListed: boolean
}

/**
 * What waits for one subscription, in a lane per key: in order within it, one at a time, keys in turn. A lane is there while it
 * holds something, is busy or is blocked.
 */
export type Lanes<T extends Link<T>> = {
  push(item: T): void
  /** Back to the front of its lane. */
  unshift(item: T): void
  /** The next of a lane that is neither busy nor blocked; its lane is busy then, until `free`. */
  take(): T | null
  /** The first of this very lane, busy or blocked as it may be. */
  shift(key: string): T | null
  /** Makes a lane busy with something that did not lie in it; false when it is busy. */
  occupy(key: string): boolean
  free(key: string): void
  /** Something lies in it, or was taken from it. */
  isWaiting(key: string): boolean
  /** Something was taken from it and is not done with. */
  isTaken(key: string): boolean
  /** Nothing is taken from it until `unblock`. */
  block(key: string): void
  unblock(key: string): void
  size(): number
  bytes(): number
}

export function createLanes<T extends Link<T>>(): Lanes<T> {
  const lanes = new Map<string, Lane<T>>()
  const ready = createQueue<Lane<T>>()
  let size = 0
  let bytes = 0

  const find = (key: string): Lane<T> => {
    const known = lanes.get(key)
    if (known) return known
    const lane = { key, first: null, last: null, isBusy: false, isTaken: false, isBlocked: false, isListed: false }
    lanes.set(key, lane)
    return lane
  }
  /** To be called after each change: lists it when something can be taken, forgets it when nothing is left. */
  const settle = (lane: Lane<T>): void => {
    if (lane.isBusy || lane.isBlocked) return
    if (lane.first === null) {
      if (!lane.isListed) lanes.delete(lane.key)
    } else if (!lane.isListed) {
      lane.isListed = true
      ready.push(lane)
    }
  }
  const shiftFrom = (lane: Lane<T>): T | null => {
    const item = lane.first
    if (item === null) return null
    lane.first = item.next
    if (lane.first === null) lane.last = null
    item.next = null
    size -= 1
    bytes -= item.bytes
    return item
  }
  const count = (item: T): void => {
    size += 1
    bytes += item.bytes
  }
  const change = (key: string, apply: (lane: Lane<T>) => void): void => {
    const lane = find(key)
    apply(lane)
    settle(lane)
  }

  return {
    push(item) {
      const lane = find(item.key)
      if (lane.last === null) lane.first = item
      else lane.last.next = item
      lane.last = item
      count(item)
      settle(lane)
    },
    unshift(item) {
      const lane = find(item.key)
      item.next = lane.first
      lane.first = item
      lane.last ??= item
      count(item)
      settle(lane)
    },
    take() {
      for (let lane = ready.shift(); lane !== undefined; lane = ready.shift()) {
        lane.isListed = false
        const item = lane.isBusy || lane.isBlocked ? null : shiftFrom(lane)
        if (item === null) {
          settle(lane)
          continue
        }
        lane.isBusy = true
        lane.isTaken = true
        return item
      }
      return null
    },
    shift(key) {
      const lane = lanes.get(key)
      const item = lane ? shiftFrom(lane) : null
      if (lane) settle(lane)
      return item
    },
    occupy(key) {
      const lane = find(key)
      if (lane.isBusy) return false
      lane.isBusy = true
      return true
    },
    free: (key) =>
      change(key, (lane) => {
        lane.isBusy = false
        lane.isTaken = false
      }),
    isWaiting(key) {
      const lane = lanes.get(key)
      return lane !== undefined && (lane.first !== null || lane.isTaken)
    },
    isTaken: (key) => lanes.get(key)?.isTaken === true,
    block: (key) =>
      change(key, (lane) => {
        lane.isBlocked = true
      }),
    unblock: (key) =>
      change(key, (lane) => {
        lane.isBlocked = false
      }),
    size: () => size,
    bytes: () => bytes,
  }
}
