import { type Clock, Fault } from '../../kernel/index.ts'
import type { LogSubscription } from './port.ts'

const CAUGHT_UP_TIMEOUT_MS = 10_000

/** How far a subscription has come and when it last heard from its engine: what every adapter's subscription answers from. */
export type Progress = Pick<LogSubscription, 'position' | 'lag' | 'silentForMs'> & {
  next(): number
  /** Heard from the engine, which says where the log ends. */
  heard(end: number): void
  /** Everything before `next` has been handled. */
  handled(next: number): void
  /** Goes on from `next`, wherever that is. */
  restart(next: number): void
  /** Resolves once everything before `target` has been handled. */
  reached(target: number, timeoutMs?: number): Promise<void>
  /** Ends all waits. */
  close(): void
}

type Waiter = { readonly target: number; readonly resolve: () => void; readonly reject: (fault: Fault) => void }

export function createProgress(options: { topic: string; clock: Clock; next: number; end: number }): Progress {
  const { topic, clock } = options
  let { next, end } = options
  let heardAtMs = Number.NEGATIVE_INFINITY
  let waiters: Waiter[] = []
  let closed = false

  const settle = (): void => {
    if (waiters.length === 0) return
    const due = waiters.filter(({ target }) => target <= next)
    waiters = waiters.filter(({ target }) => target > next)
    for (const { resolve } of due) resolve()
  }

  return {
    next: () => next,
    position: () => ({ next: { 0: next }, end: { 0: end } }),
    lag: () => Math.max(0, end - next),
    silentForMs: () => clock.elapsedMs() - heardAtMs,
    heard(at) {
      heardAtMs = clock.elapsedMs()
      end = Math.max(end, at)
    },
    handled(at) {
      next = Math.max(next, at)
      end = Math.max(end, next)
      settle()
    },
    restart(at) {
      next = at
      end = Math.max(end, at)
      settle()
    },
    reached(target, timeoutMs = CAUGHT_UP_TIMEOUT_MS) {
      if (target <= next) return Promise.resolve()
      if (closed) return Promise.reject(new Fault('closed', `the subscription of ${topic} is closed`))
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters = waiters.filter((one) => one !== waiter)
          reject(
            new Fault(
              'timeout',
              `topic ${topic}: expected everything before offset ${target} to be handled within ${timeoutMs} ms, got to ${next}`,
              { detail: { topic, target, next } },
            ),
          )
        }, timeoutMs)
        const waiter: Waiter = {
          target,
          resolve: () => {
            clearTimeout(timer)
            resolve()
          },
          reject: (fault) => {
            clearTimeout(timer)
            reject(fault)
          },
        }
        waiters.push(waiter)
      })
    },
    close() {
      closed = true
      for (const { reject } of waiters.splice(0)) reject(new Fault('closed', `the subscription of ${topic} was closed`))
    },
  }
}
