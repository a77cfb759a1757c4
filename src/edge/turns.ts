/** At most `atOnceMax` tasks at once, the rest in the order they came; one whose signal aborts while it waits never starts. */
export type Turns = {
  take<Value>(task: () => Promise<Value>, signal: AbortSignal): Promise<Value>
}

export function createTurns(options: { atOnceMax: number }): Turns {
  const waiting: (() => void)[] = []
  let running = 0

  const enter = async (): Promise<void> => {
    if (running < options.atOnceMax) {
      running += 1
      return
    }
    // Whoever leaves hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }

  return {
    async take(task, signal) {
      await enter()
      try {
        signal.throwIfAborted()
        return await task()
      } finally {
        leave()
      }
    },
  }
}
