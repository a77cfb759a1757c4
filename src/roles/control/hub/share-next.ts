/**
 * The same work for all who ask meanwhile: one run at a time, and whoever asks during a run gets the next one, so that what
 * they are told is never older than their question.
 */
export function shareNext<T>(run: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> | null = null
  let next: Promise<T> | null = null

  const start = (): Promise<T> => {
    next = null
    const running = run()
    current = running
    const end = (): void => {
      if (current === running) current = null
    }
    running.then(end, end)
    return running
  }
  return () => {
    if (next) return next
    if (!current) return start()
    next = current.then(start, start)
    return next
  }
}
