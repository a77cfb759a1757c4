import { Fault } from '../../kernel/index.ts'
import type { EndedSessions } from './ended-sessions.ts'
import type { Playback } from './playback.ts'

/** Playback that renews no token of an ended session. Fault `log-unavailable` when the cell cannot know whether it was ended. */
export function refuseEnded(playback: Playback, sessions: Pick<EndedSessions, 'stateOf'>): Playback {
  return {
    ...playback,
    renew(sessionId, token, from) {
      const result = playback.renew(sessionId, token, from)
      if (!result.ok) return result
      const state = sessions.stateOf(sessionId)
      if (state === 'ended') return { ok: false, code: 'session-revoked' }
      if (state === 'unsure')
        throw new Fault(
          'log-unavailable',
          'the log was not heard for too long to know which sessions were ended; retry',
        )
      return result
    },
  }
}
