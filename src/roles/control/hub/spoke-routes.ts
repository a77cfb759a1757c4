import type { Hono } from 'hono'
import { spokeRequestSchema } from '../../../contracts/index.ts'
import { readBody } from '../body.ts'
import { toProblem } from '../problem.ts'
import { type AsCaller, refuseSpoke } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { notFound } from './problems.ts'
import { isRawTopic } from './raw-topics.ts'

type Refused = Extract<Awaited<ReturnType<HubPorts['spokes']['change']>>, { ok: false }>

/** Who outside may use the hub, and for what: the operator's to say. */
export function addSpokeRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { spokes, streams, limits } = ports
  const bounds = { bytesMax: limits.apiBodyBytesMax }
  const asOperator: AsCaller = (handle) =>
    asCaller(async (caller, request, param) => refuseSpoke(caller) ?? (await handle(caller, request, param)))
  const endStreamsOf = (name: string): void => streams.end('revoked', ({ owner }) => owner === name)

  app.get(
    '/hub/v1/spokes',
    asOperator(async () => Response.json({ spokes: await spokes.list() })),
  )
  app.post(
    '/hub/v1/spokes',
    asOperator(async (_caller, request) => {
      const body = await readBody(request, spokeRequestSchema, bounds)
      if (!body.ok) return body.problem
      const refusal = refuseTopics(body.value.topics, ports)
      if (refusal) return refusal
      const created = await spokes.create(body.value)
      if (!created.ok) return refuse(created, body.value.name, limits.hubSpokesMax)
      return Response.json(
        { ...created.spoke, token: created.token },
        { status: 201, headers: { 'cache-control': 'no-store' } },
      )
    }),
  )
  app.put(
    '/hub/v1/spokes/:name',
    asOperator(async (_caller, request, param) => {
      const body = await readBody(request, spokeRequestSchema.omit({ name: true }), bounds)
      if (!body.ok) return body.problem
      const refusal = refuseTopics(body.value.topics, ports)
      if (refusal) return refusal
      const changed = await spokes.change({ ...body.value, name: param('name') })
      return changed.ok ? Response.json(changed.spoke) : refuse(changed, param('name'), limits.hubSpokesMax)
    }),
  )
  app.post(
    '/hub/v1/spokes/:name/token',
    asOperator(async (_caller, _request, param) => {
      const token = await spokes.renewToken(param('name'))
      if (token === null) return notFound('spoke', param('name'))
      endStreamsOf(param('name'))
      return Response.json({ token }, { headers: { 'cache-control': 'no-store' } })
    }),
  )
  app.delete(
    '/hub/v1/spokes/:name',
    asOperator(async (_caller, _request, param) => {
      if (!(await spokes.remove(param('name')))) return notFound('spoke', param('name'))
      endStreamsOf(param('name'))
      return new Response(null, { status: 204 })
    }),
  )
}

function refuseTopics(topics: readonly string[], { registry }: HubPorts): Response | null {
  const errors = topics.flatMap((topic, at) =>
    isRawTopic(topic, registry)
      ? []
      : [{ pointer: `/topics/${at}`, detail: `expected a topic of raw records, got ${topic}, which has events` }],
  )
  if (errors.length === 0) return null
  const detail = errors.map(({ pointer, detail: what }) => `${pointer}: ${what}`).join('; ')
  return toProblem({ status: 400, code: 'topic-of-events', detail, errors })
}

function refuse(refused: Refused, name: string, spokesMax: number): Response {
  if (refused.code === 'spoke-unknown') return notFound('spoke', name)
  if (refused.code === 'pattern-invalid') {
    const errors = refused.faults.map(({ path, fault }) => ({ pointer: `/${path.join('/')}`, detail: fault.detail }))
    const detail = errors.map(({ pointer, detail: what }) => `${pointer}: ${what}`).join('; ')
    return toProblem({ status: 400, code: 'pattern-invalid', detail, errors })
  }
  const detail =
    refused.code === 'spoke-exists'
      ? `There is a spoke ${name} already; change it with PUT, or renew its token.`
      : `There are ${spokesMax} spokes, the limit; remove one first.`
  return toProblem({ status: 409, code: refused.code, detail })
}
