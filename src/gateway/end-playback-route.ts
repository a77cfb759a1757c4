import type { z } from 'zod'
import { playbackEndedResponseSchema } from '../contracts/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { EndedSessions, Ending } from '../services/playback/index.ts'
import { withViewer } from './authenticate.ts'
import { toProblem } from './problem.ts'
import type { LimitRate } from './rate-limit.ts'
import { type Route, toJson } from './route.ts'

/** Ending one's own session, from whatever device. */
export function endPlaybackRoutes(options: {
  sessions: Pick<EndedSessions, 'end'>
  tokens: ViewerTokens
  limitRate: LimitRate
}): Route[] {
  const { sessions, tokens, limitRate } = options
  return [
    {
      method: 'DELETE',
      path: '/v1/playback/:sessionId',
      operationId: 'endPlayback',
      summary:
        'End one of your own sessions: no edge serves it after 5 s, no cell renews it. A repeat has no further effect',
      tokenNeeded: true,
      answer: { status: 200, schema: playbackEndedResponseSchema, description: 'It is durable when this arrives' },
      problems: ['session-not-found', 'too-many-requests'],
      handle: withViewer(tokens, async (viewer, call) => {
        const refused = limitRate(viewer.sub)
        if (refused) return refused
        const sessionId = call.parameter('sessionId')
        const ending = await sessions.end(viewer.sub, sessionId)
        if (!ending.ok) return toEndingProblem(ending, sessionId)
        return toJson({ sessionId, endedAtMs: ending.endedAtMs } satisfies z.infer<typeof playbackEndedResponseSchema>)
      }),
    },
  ]
}

/** Another's is not told from one that never was. */
function toEndingProblem(ending: Exclude<Ending, { ok: true }>, sessionId: string): Response {
  if (ending.code === 'session-not-found')
    return toProblem(
      'session-not-found',
      `Expected the id of a session of this viewer, got ${JSON.stringify(sessionId.slice(0, 64))}.`,
    )
  const { waitS } = ending
  return toProblem('too-many-requests', `Too many sessions are being ended; ask again in ${waitS} s.`, {
    headers: { 'retry-after': String(waitS) },
  })
}
