import type { Hono } from 'hono'
import { topicNameSchema } from '../../../contracts/index.ts'
import { parsePattern } from '../../../hub/index.ts'
import { toProblem } from '../problem.ts'
import { identify, refuseSpoke } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { badRequest, toHubProblem } from './problems.ts'

type TailPorts = Pick<HubPorts, 'auth' | 'spokes' | 'limits' | 'logger' | 'tail'>

/** `GET /hub/v1/tail?pattern=…&topic=…`: the operator looks over the bus's shoulder. Nothing is acknowledged and nothing waits for it. */
export function addTailRoute(app: Hono, ports: TailPorts): void {
  app.get('/hub/v1/tail', async ({ req }) => {
    try {
      const caller = await identify(req.raw, ports)
      if (caller instanceof Response) return caller
      return refuseSpoke(caller) ?? openTail(req.raw, ports)
    } catch (error) {
      return toHubProblem(error, ports.logger)
    }
  })
}

function openTail(request: Request, { tail, limits }: TailPorts): Response {
  const query = new URL(request.url).searchParams
  const pattern = query.get('pattern')
  const parsed = pattern === null ? null : parsePattern(pattern)
  if (parsed && !parsed.ok) return badRequest('pattern-invalid', parsed.detail, '/pattern')
  const topic = query.get('topic')
  if (topic !== null && !topicNameSchema.safeParse(topic).success)
    return badRequest('topic-invalid', `topic: expected a topic's name, got ${JSON.stringify(topic.slice(0, 100))}`)
  if (topic !== null && !tail.topics.includes(topic)) {
    const detail = `No registered event goes to ${topic}; those with events: ${tail.topics.join(', ')}.`
    return toProblem({ status: 404, code: 'topic-unknown', detail })
  }
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
  // Hono gives HEAD to routes of GET: it would hold up a stream that nobody reads.
  if (request.method !== 'GET') return new Response(null, { headers })
  const stream = tail.follow({ pattern: parsed?.pattern ?? null, topic })
  if (stream) return new Response(stream, { headers })
  const detail = `${limits.tailClientsMax} are following already, the limit; close one first.`
  return toProblem({ status: 429, code: 'too-many-tails', detail, headers: { 'retry-after': '5' } })
}
