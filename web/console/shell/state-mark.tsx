import type { ReactElement } from 'react'
import type { RoleStatus, TitleState } from '../../../src/contracts/index.ts'

export type Tone = 'good' | 'warn' | 'bad' | 'idle'

/** A shape and a word, coloured: the colour never says anything alone. */
export function StateMark({ tone, children }: { tone: Tone; children: string }): ReactElement {
  return (
    <span className={`state state-${tone}`}>
      <svg viewBox="0 0 12 12" width="0.75rem" height="0.75rem" aria-hidden="true" focusable="false">
        <path d={SHAPES[tone]} fill="currentColor" />
      </svg>
      {children}
    </span>
  )
}

/** A disc, a triangle, a square, a ring. */
const SHAPES: Readonly<Record<Tone, string>> = {
  good: 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1z',
  warn: 'M6 .8 11.6 11H.4z',
  bad: 'M1.5 1.5h9v9h-9z',
  idle: 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1zm0 2a3 3 0 1 1 0 6a3 3 0 1 1 0-6z',
}

export const TITLE_TONES: Readonly<Record<TitleState, Tone>> = {
  uploading: 'idle',
  processing: 'warn',
  playable: 'good',
  published: 'good',
  failed: 'bad',
  withdrawn: 'idle',
}

/** Amber before red: what is on its way up or down, then what is not there. */
export const ROLE_TONES: Readonly<Record<RoleStatus['state'], Tone>> = {
  starting: 'warn',
  healthy: 'good',
  unhealthy: 'bad',
  draining: 'warn',
  stopped: 'bad',
  backoff: 'bad',
}
