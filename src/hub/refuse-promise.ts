import { Fault } from '../kernel/index.ts'

/**
 * The answer of a user's function that must answer at once. Fault `promise-refused` for a promise; whatever becomes of
 * that one is nobody's, and must not end the process.
 */
export function refusePromise<T>(answer: T, what: string, instead = 'it must be pure'): T {
  if (!isPromise(answer)) return answer
  settle(answer)
  throw toRefused(what, instead)
}

/** The same of an answer and all that is in it. */
export function refusePromises<T>(answer: T, what: string, instead = 'it must be pure'): T {
  if (settleAll(answer) === 0) return answer
  throw toRefused(what, instead)
}

/** How many there are. */
function settleAll(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let found = 0
  const seen = new Set<object>()
  const open: object[] = [value]
  for (let next = open.pop(); next; next = open.pop()) {
    if (seen.has(next) || ArrayBuffer.isView(next)) continue
    seen.add(next)
    if (isPromise(next)) {
      settle(next)
      found += 1
      continue
    }
    for (const field of Object.values(next)) if (typeof field === 'object' && field !== null) open.push(field)
  }
  return found
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function settle(promise: PromiseLike<unknown>): void {
  Promise.resolve(promise).catch(() => {})
}

function toRefused(what: string, instead: string): Fault {
  return new Fault('promise-refused', `${what}: expected no promise: it must answer at once; ${instead}`)
}
