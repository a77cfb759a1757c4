/** What must end with a storm, however that ends. */
export type Closing = {
  /** Each must bear being called when it has ended already. */
  add(end: () => unknown): void
  /** Ends all of it at once; one that fails keeps no other from ending, and its error is thrown when all have. */
  close(): Promise<void>
}

export function createClosing(): Closing {
  const ends: (() => unknown)[] = []
  return {
    add(end) {
      ends.push(end)
    },
    async close() {
      const ended = await Promise.allSettled(ends.map(async (end) => await end()))
      const failed = ended.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}
