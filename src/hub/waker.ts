/** A wait that can be cut short. A `wake` while nobody waits cuts the next wait short, so none is lost. */
export type Waker = { wake(): void; wait(timeoutMs: number): Promise<void> }

export function createWaker(): Waker {
  let pending = false
  let resume: (() => void) | null = null
  return {
    wake() {
      pending = true
      resume?.()
    },
    wait(timeoutMs) {
      if (pending) {
        pending = false
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => resume?.(), timeoutMs)
        resume = () => {
          clearTimeout(timer)
          resume = null
          pending = false
          resolve()
        }
      })
    },
  }
}
