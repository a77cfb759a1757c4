import type { ComponentType } from 'react'
import type { Result } from '../common/problem.ts'

export type PlayerPage = ComponentType<{ titleId: string; fromStart: boolean }>

/**
 * The player and its engine are a file of their own, fetched ahead of the press by the pages that lead to it. Once it is
 * here it is rendered at once: `React.lazy` would first show a fallback, and then hold the player back for 300 ms.
 */
export type PlayerChunk = {
  loaded(): PlayerPage | null
  load(): Promise<Result<PlayerPage>>
}

export function createPlayerChunk(): PlayerChunk {
  let page: PlayerPage | null = null
  return {
    loaded: () => page,
    async load() {
      if (page !== null) return { ok: true, value: page }
      try {
        const module = await import('./player/player.tsx')
        page = module.default
        module.warmEngine()
        return { ok: true, value: page }
      } catch {
        const detail = 'The player could not be fetched. Check your network, then load the page again.'
        return { ok: false, problem: { status: 0, code: 'player-missing', detail } }
      }
    },
  }
}
