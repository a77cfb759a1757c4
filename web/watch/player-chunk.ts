import type { ComponentType } from 'react'

export type PlayerModule = { default: ComponentType<{ titleId: string; fromStart: boolean }> }

/** The player and its engine are a file of their own; pages that lead to it fetch it ahead of the press. */
export function loadPlayer(): Promise<PlayerModule> {
  return import('./player/player.tsx')
}
