import { useEffect, useState } from 'react'
import { useConsole } from '../shell/context.tsx'
import { decideEdge, type EdgeState, FIRST_EDGE } from './view.ts'

const PERIOD_MS = 5_000

/** Asks for what the edge counts for as long as the page is looked at; at once again when somebody comes back to it. */
export function useEdge(): EdgeState {
  const { api } = useConsole()
  const [state, setState] = useState(FIRST_EDGE)
  useEffect(() => {
    let closed = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (): Promise<void> => {
      clearTimeout(timer)
      const answer = await api.edge()
      if (closed) return
      setState((before) => decideEdge(before, answer))
      clearTimeout(timer)
      if (!document.hidden) timer = setTimeout(() => void ask(), PERIOD_MS)
    }
    const onVisible = (): void => {
      if (!document.hidden) void ask()
    }
    void ask()
    document.addEventListener('visibilitychange', onVisible)
    return () => {
      closed = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [api])
  return state
}
