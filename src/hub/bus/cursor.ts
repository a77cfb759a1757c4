import { createQueue } from '../../kernel/index.ts'

/** An event that a subscription was given, until it is settled: done, parked or dead. */
export type Mark = { readonly offset: number; readonly cursor: Cursor; settled: boolean }

/** How far one subscription has come in one partition. */
export type Cursor = {
  readonly topic: string
  readonly partition: number
  /** Fed by the live reader; else the subscription reads the log by itself. */
  isLive: boolean
  /** Live: nothing before it is taken from the live reader. Behind: the next offset to read. */
  next: number
  /** Notes an event that was taken; offsets rise. */
  open(offset: number): Mark
  settle(mark: Mark): void
  /** The lowest offset that is not settled; `reached` is how far the live reader has come. */
  position(reached: number): number
  /** Marks that are kept, settled ones behind one that is not among them. */
  size(): number
}

export function createCursor(options: { topic: string; partition: number; next: number }): Cursor {
  const marks = createQueue<Mark>()
  const cursor: Cursor = {
    topic: options.topic,
    partition: options.partition,
    isLive: false,
    next: options.next,
    open(offset) {
      const mark = { offset, cursor, settled: false }
      marks.push(mark)
      return mark
    },
    settle(mark) {
      mark.settled = true
      while (marks.first()?.settled) marks.shift()
    },
    position(reached) {
      const first = marks.first()
      if (first) return first.offset
      return cursor.isLive ? Math.max(cursor.next, reached) : cursor.next
    },
    size: marks.size,
  }
  return cursor
}
