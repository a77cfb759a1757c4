/** What comes due, soonest first. `T` is told apart by identity only; one item may be due several times. */
export type Alarms<T> = {
  /** `dueMs` on the clock of `runDue`. */
  set(dueMs: number, item: T): void
  /** Calls `onDue` for all that is due at `nowMs`, in the order it was due, with the time it was due. What is set meanwhile waits for the next call. */
  runDue(nowMs: number, onDue: (item: T, dueMs: number) => void): void
  size(): number
}

type Entry<T> = { readonly dueMs: number; readonly order: number; readonly item: T }

/** A binary heap: 5,000 viewers each have one alarm, and a timer of the runtime's for each would cost more than their requests. */
export function createAlarms<T>(): Alarms<T> {
  const heap: Entry<T>[] = []
  let order = 0

  const isBefore = (left: Entry<T>, right: Entry<T>): boolean =>
    left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order)

  const push = (entry: Entry<T>): void => {
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt] as Entry<T> // below `at`, so it is there
      if (!isBefore(entry, parent)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = entry
  }

  const pop = (): Entry<T> | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      if (!left) break
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, last)) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = last
    return first
  }

  return {
    set: (dueMs, item) => push({ dueMs, order: order++, item }),
    runDue(nowMs, onDue) {
      const until = order
      const later: Entry<T>[] = []
      for (let first = heap[0]; first && first.dueMs <= nowMs; first = heap[0]) {
        pop()
        if (first.order >= until) later.push(first)
        else onDue(first.item, first.dueMs)
      }
      for (const entry of later) push(entry)
    },
    size: () => heap.length,
  }
}
