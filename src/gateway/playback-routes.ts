import type { z } from 'zod'
import {
  heartbeatRequestSchema,
  heartbeatResponseSchema,
  playbackRequestSchema,
  playbackResponseSchema,
} from '../contracts/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { Catalog } from '../services/catalog/index.ts'
import type { ClientAddress, Playback } from '../services/playback/index.ts'
import { withViewer } from './authenticate.ts'
import type { ReadBody } from './body.ts'
import { toProblem } from './problem.ts'
import type { LimitRate } from './rate-limit.ts'
import { type Route, type RouteCall, toJson } from './route.ts'
import { toTitleProblem } from './title-problem.ts'

/** 403: the token is good, but not for whoever shows it; no other credentials would help. */
const FORBIDDEN: ReadonlySet<string> = new Set(['token-of-another-session', 'token-of-another-network'])

/** Set by the edge, which lets no client's own through. */
const CLIENT_HEADER = 'x-tentpole-client'

const clientOf = (call: RouteCall): ClientAddress => call.request.headers.get(CLIENT_HEADER)

/** Pressing play, and going on playing. */
export function playbackRoutes(options: {
  catalog: Pick<Catalog, 'get'>
  playback: Playback
  tokens: ViewerTokens
  readBody: ReadBody
  limitRate: LimitRate
}): Route[] {
  const { catalog, playback, tokens, readBody, limitRate } = options
  return [
    {
      method: 'POST',
      path: '/v1/playback',
      operationId: 'startPlayback',
      summary: 'Press play: a session, and the signed address of its manifest',
      tokenNeeded: true,
      body: playbackRequestSchema,
      answer: { status: 200, schema: playbackResponseSchema, description: 'The session is durable when this arrives' },
      problems: ['title-not-found', 'title-withdrawn', 'too-many-requests'],
      handle: withViewer(tokens, async (viewer, call) => {
        const refused = limitRate(viewer.sub)
        if (refused) return refused
        const body = await readBody(call, playbackRequestSchema)
        if (!body.ok) return body.problem
        const { titleId } = body.value
        const result = await playback.start(viewer, titleId, clientOf(call))
        if (!result.ok) return toTitleProblem(titleId, catalog.get(titleId))
        return toJson(result.started satisfies z.infer<typeof playbackResponseSchema>)
      }),
    },
    {
      // The media token is the credential: a heartbeat must not fail because the viewer's own token ran out mid-film.
      method: 'POST',
      path: '/v1/playback/:sessionId/heartbeat',
      operationId: 'renewPlayback',
      summary: 'A new token for the media addresses of a session that goes on',
      tokenNeeded: false,
      body: heartbeatRequestSchema,
      answer: {
        status: 200,
        schema: heartbeatResponseSchema,
        description: 'The token to put in the place of the old one',
      },
      problems: [
        'token-invalid',
        'token-expired',
        'token-of-another-session',
        'token-of-another-network',
        'session-revoked',
        'title-not-found',
        'title-withdrawn',
      ],
      async handle(call) {
        const body = await readBody(call, heartbeatRequestSchema)
        if (!body.ok) return body.problem
        const result = playback.renew(call.parameter('sessionId'), body.value.token, clientOf(call))
        if (result.ok) return toJson(result.renewed satisfies z.infer<typeof heartbeatResponseSchema>)
        if (result.code === 'title-not-found') return toTitleProblem(result.titleId, catalog.get(result.titleId))
        if (result.code === 'session-revoked')
          return toProblem(result.code, 'The session was ended; POST /v1/playback starts a new one.')
        return toProblem(result.code, 'The token cannot be renewed; POST /v1/playback starts a new session.', {
          headers: FORBIDDEN.has(result.code) ? {} : { 'www-authenticate': 'Tentpole-Media' },
        })
      },
    },
  ]
}
