import { Fault } from '../../../kernel/index.ts'
import type { Caller } from './caller.ts'

/** So many of something at once for each spoke; the operator is not counted. */
export type Shares = {
  /** Fault `hub-busy` when it has as many as it may. */
  run<T>(caller: Caller, work: () => Promise<T>): Promise<T>
}

export function createShares(options: { what: string; max: number; retryAfterMs: number }): Shares {
  const { what, max, retryAfterMs } = options
  const underWay = new Map<string, number>()
  const add = (name: string, change: number): void => {
    const count = (underWay.get(name) ?? 0) + change
    if (count === 0) underWay.delete(name)
    else underWay.set(name, count)
  }
  return {
    async run(caller, work) {
      if (caller.kind === 'operator') return work()
      const { name } = caller.spoke
      if ((underWay.get(name) ?? 0) >= max)
        throw new Fault(
          'hub-busy',
          `The spoke ${name} has ${max} ${what} under way, which is as many as it may; wait for one.`,
          {
            detail: { retryAfterMs },
          },
        )
      add(name, 1)
      try {
        return await work()
      } finally {
        add(name, -1)
      }
    },
  }
}
