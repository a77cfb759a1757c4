/** First in, first out; each step takes the same short time on average, however long the queue is. */
export type Queue<T> = {
  push(item: T): void
  first(): T | undefined
  shift(): T | undefined
  size(): number
}

/** So many empty places at the front are worth a copy of what is behind them. */
const EMPTY_MIN = 1_024

/** An array that is read from a moving front. (A `Map` keeps order too, but each look at its first costs a walk over all that was deleted.) */
export function createQueue<T>(): Queue<T> {
  let items: (T | undefined)[] = []
  let front = 0
  return {
    push(item) {
      items.push(item)
    },
    first: () => items[front],
    shift() {
      if (front >= items.length) return undefined
      const item = items[front]
      // What is gone must not be kept alive until the copy.
      items[front] = undefined
      front += 1
      if (front >= EMPTY_MIN && front * 2 >= items.length) {
        items = items.slice(front)
        front = 0
      }
      return item
    },
    size: () => items.length - front,
  }
}
