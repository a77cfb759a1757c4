import { Fault } from '../../kernel/index.ts'

/** Commits positions as they move: one commit at a time, which takes all that has moved meanwhile with it. */
export type PositionSaver = {
  /** The positions have moved. */
  touch(): void
  /** Resolves when the committed positions are not below `target`. Fault `timeout`; `closed`. */
  reached(target: ReadonlyMap<number, number>, timeoutMs: number): Promise<void>
  /** Commits what has moved and is not committed yet, if it can be. */
  close(): Promise<void>
}

type Waiter = {
  readonly target: ReadonlyMap<number, number>
  readonly resolve: () => void
  readonly reject: (error: Fault) => void
}

/** `commit` is tried again by itself and rejects only once the pipe is closed. */
export function createPositionSaver(options: {
  positions: () => ReadonlyMap<number, number>
  commit: (partition: number, offset: number) => Promise<void>
}): PositionSaver {
  const { positions, commit } = options
  const committed = new Map<number, number>()
  const waiters = new Set<Waiter>()
  let saving: Promise<void> | null = null

  const moved = (): [number, number][] =>
    [...positions()].filter(([partition, offset]) => offset > (committed.get(partition) ?? 0))
  const hasReached = (target: ReadonlyMap<number, number>): boolean =>
    [...target].every(([partition, offset]) => (committed.get(partition) ?? 0) >= offset)

  const save = async (): Promise<void> => {
    try {
      for (let next = moved(); next.length > 0; next = moved()) {
        for (const [partition, offset] of next) {
          await commit(partition, offset)
          committed.set(partition, offset)
        }
        for (const waiter of waiters) if (hasReached(waiter.target)) waiter.resolve()
      }
    } catch {
      // Only a closed pipe stops committing, and what it did not commit comes again.
    } finally {
      saving = null
    }
  }

  const start = async (): Promise<void> => {
    if (saving === null && moved().length > 0) saving = save()
    await saving
  }

  return {
    touch: () => void start(),
    async reached(target, timeoutMs) {
      if (hasReached(target)) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiter = { target, resolve, reject }
      const timer = setTimeout(
        () => reject(new Fault('timeout', `expected the pipe to have caught up within ${timeoutMs} ms`)),
        timeoutMs,
      )
      waiters.add(waiter)
      try {
        await promise
      } finally {
        clearTimeout(timer)
        waiters.delete(waiter)
      }
    },
    async close() {
      await start()
      for (const waiter of waiters) waiter.reject(new Fault('closed', 'the pipe was closed before it had caught up'))
    },
  }
}
