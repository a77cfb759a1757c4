import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { StaffApi } from '../api.ts'
import type { LiveLine } from '../live/line.ts'
import type { LiveState } from '../live/state.ts'
import type { Uploads } from '../uploads/uploads.ts'

/** What every page of the console is given. */
export type Console = { readonly api: StaffApi; readonly live: LiveLine; readonly uploads: Uploads }

export const ConsoleContext: React.Context<Console | null> = createContext<Console | null>(null)

export function useConsole(): Console {
  const value = useContext(ConsoleContext)
  if (value === null) throw new Error('useConsole needs a ConsoleContext above it')
  return value
}

export function useLive(): LiveState {
  const { live } = useConsole()
  return useSyncExternalStore(live.subscribe, live.state)
}

/** The time, once a second: for how long ago things were. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return nowMs
}
