import { describeError, type Logger } from '../../kernel/index.ts'

/** Who is told. One that fails costs the others nothing. */
export type Listeners<T> = {
  /** Returns how to stop. */
  add(fn: (told: T) => void): () => void
  tell(told: T): void
}

export function createListeners<T>(logger: Logger): Listeners<T> {
  const listeners = new Set<(told: T) => void>()
  return {
    add(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    tell(told) {
      for (const listener of listeners) {
        try {
          listener(told)
        } catch (error) {
          logger.error('a listener of the view failed', { error: describeError(error) })
        }
      }
    },
  }
}
