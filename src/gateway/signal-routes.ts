import { signalsRequestSchema, signalsResponseSchema } from '../contracts/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { Signal } from '../services/signals/index.ts'
import { withViewer } from './authenticate.ts'
import type { ReadBody } from './body.ts'
import type { LimitRate } from './rate-limit.ts'
import { type Route, toJson } from './route.ts'

/** What players tell: batched beacons. */
export function signalRoutes(options: {
  accept: (viewerId: string, signals: readonly Signal[]) => Promise<void>
  tokens: ViewerTokens
  readBody: ReadBody
  limitRate: LimitRate
}): Route[] {
  const { accept, tokens, readBody, limitRate } = options
  return [
    {
      method: 'POST',
      path: '/v1/signals',
      operationId: 'sendSignals',
      summary: 'What happened in a player; a batch sent again has no further effect',
      tokenNeeded: true,
      body: signalsRequestSchema,
      answer: { status: 202, schema: signalsResponseSchema, description: 'The signals are durable' },
      problems: ['too-many-requests'],
      handle: withViewer(tokens, async (viewer, call) => {
        const refused = limitRate(viewer.sub)
        if (refused) return refused
        const body = await readBody(call, signalsRequestSchema)
        if (!body.ok) return body.problem
        await accept(viewer.sub, body.value.signals)
        return toJson({ accepted: body.value.signals.length }, 202)
      }),
    },
  ]
}
