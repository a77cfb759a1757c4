import { createContext, useContext } from 'react'
import type { ViewerApi } from '../api/client.ts'
import type { Resources } from '../api/resources.ts'
import type { PlayerChunk } from '../player-chunk.ts'

/** What every page of the watch app is given. */
export type Watch = { readonly api: ViewerApi; readonly resources: Resources; readonly player: PlayerChunk }

export const WatchContext: React.Context<Watch | null> = createContext<Watch | null>(null)

export function useWatch(): Watch {
  const watch = useContext(WatchContext)
  if (watch === null) throw new Error('useWatch needs a WatchContext above it')
  return watch
}
