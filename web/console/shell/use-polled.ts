import { useCallback, useEffect, useRef, useState } from 'react'
import type { Problem, Result } from '../../common/problem.ts'

/** The last answer, when it came, and what went wrong since; `value` stays when a later question fails. */
export type Polled<T> = {
  readonly value: T | null
  readonly heardAtMs: number
  readonly problem: Problem | null
}

const NOTHING: Polled<never> = { value: null, heardAtMs: 0, problem: null }

/**
 * Asks for as long as the page is looked at; at once again when somebody comes back to it, and when `again` is called.
 * `ask` must stay the same function while it means the same question: another one starts from nothing.
 */
export function usePolled<T>(ask: () => Promise<Result<T>>, periodMs: number): Polled<T> & { again(): void } {
  const [state, setState] = useState<Polled<T>>(NOTHING)
  const now = useRef<() => void>(() => undefined)
  useEffect(() => {
    let closed = false
    let asked = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const poll = async (): Promise<void> => {
      clearTimeout(timer)
      asked += 1
      const turn = asked
      const answer = await ask()
      // A later question overtook this one: its answer is the newer.
      if (closed || turn !== asked) return
      setState((before) => decidePolled(before, answer, Date.now()))
      if (!document.hidden) timer = setTimeout(() => void poll(), periodMs)
    }
    const onVisible = (): void => {
      if (!document.hidden) void poll()
    }
    now.current = () => void poll()
    setState(NOTHING)
    void poll()
    document.addEventListener('visibilitychange', onVisible)
    return () => {
      closed = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [ask, periodMs])
  const again = useCallback(() => now.current(), [])
  return { ...state, again }
}

export function decidePolled<T>(before: Polled<T>, answer: Result<T>, nowMs: number): Polled<T> {
  return answer.ok ? { value: answer.value, heardAtMs: nowMs, problem: null } : { ...before, problem: answer.problem }
}
