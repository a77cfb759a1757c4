import { createQueue, type Queue } from '../../kernel/index.ts'

/** Jobs by key: those of one key one after the other, in order; keys side by side, each in its turn. Whoever pushes bounds how many wait. */
export type Lanes<T> = {
  push(key: string, job: T): void
  /** Begins nothing more; resolves when what is under way has ended. */
  close(): Promise<void>
}

/** `work` must not reject. */
export function createLanes<T>(options: { concurrency: number; work: (job: T) => Promise<void> }): Lanes<T> {
  const { concurrency, work } = options
  const lanes = new Map<string, Queue<T>>()
  const ready = createQueue<string>()
  let busy = 0
  let closed = false
  let onIdle = (): void => {}

  const run = async (key: string, lane: Queue<T>): Promise<void> => {
    const job = lane.shift()
    if (job !== undefined) await work(job)
    if (lane.size() > 0) ready.push(key)
    else lanes.delete(key)
    busy -= 1
    if (closed && busy === 0) onIdle()
    pump()
  }

  const pump = (): void => {
    while (!closed && busy < concurrency) {
      const key = ready.shift()
      const lane = key === undefined ? undefined : lanes.get(key)
      if (key === undefined || !lane) return
      busy += 1
      void run(key, lane)
    }
  }

  return {
    push(key, job) {
      const waiting = lanes.get(key)
      if (waiting) {
        waiting.push(job)
        return
      }
      const lane = createQueue<T>()
      lane.push(job)
      lanes.set(key, lane)
      ready.push(key)
      pump()
    },
    close() {
      closed = true
      return new Promise((resolve) => {
        onIdle = resolve
        if (busy === 0) resolve()
      })
    },
  }
}
