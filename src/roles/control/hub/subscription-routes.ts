import type { Hono } from 'hono'
import { acknowledgeRequestSchema, hubNameSchema, subscriptionRequestSchema } from '../../../contracts/index.ts'
import { readBody } from '../body.ts'
import { toProblem } from '../problem.ts'
import { type AsCaller, type Caller, identify, mayTouch, ownerOf } from './caller.ts'
import { openDeliveryStream } from './delivery-stream.ts'
import { createOpenStreams, type OpenStreams } from './open-streams.ts'
import type { HubPorts, SubscriptionFacts } from './ports.ts'
import { badRequest, notFound } from './problems.ts'

const BASE = '/hub/v1/subscriptions'

/** Subscriptions, the streams of those whose reader comes to us, and what they acknowledge. */
export function addSubscriptionRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { subscriptions, limits } = ports
  const open = createOpenStreams(limits)
  const bounds = { bytesMax: limits.apiBodyBytesMax }

  const find = (caller: Caller, name: string): Promise<SubscriptionFacts | null> => findOwn(caller, name, ports)
  const viewsOf = async (caller: Caller) =>
    (await ports.overview()).subscriptions.filter(({ owner }) => mayTouch(caller, owner))

  app.get(
    BASE,
    asCaller(async (caller) => Response.json({ subscriptions: await viewsOf(caller) })),
  )
  app.get(
    `${BASE}/:name`,
    asCaller(async (caller, _request, param) => {
      const view = (await viewsOf(caller)).find(({ name }) => name === param('name'))
      return view ? Response.json(view) : notFound('subscription', param('name'))
    }),
  )
  app.put(
    `${BASE}/:name`,
    asCaller(async (caller, request, param) => {
      const name = hubNameSchema.safeParse(param('name'))
      if (!name.success) return badRequest('name-invalid', name.error.issues[0]?.message ?? '')
      const body = await readBody(request, subscriptionRequestSchema, bounds)
      if (!body.ok) return body.problem
      const { target } = body.value
      if (caller.kind === 'spoke' && target.kind === 'topic' && !caller.spoke.topics.includes(target.topic)) {
        const detail = `The spoke ${caller.spoke.name} may not write to ${target.topic}.`
        return toProblem({
          status: 403,
          code: 'topic-forbidden',
          detail,
          errors: [{ pointer: '/target/topic', detail }],
        })
      }
      // What the operator changes stays whose it is.
      const owner = ownerOf(caller) ?? (await subscriptions.get(name.data))?.owner ?? null
      const { created, secret } = await subscriptions.put({ ...body.value, name: name.data, owner })
      if (target.kind !== 'stream') ports.streams.end('removed', ({ subscription }) => subscription === name.data)
      return Response.json(
        { name: name.data, created, ...(secret === null ? {} : { secret }) },
        { status: created ? 201 : 200 },
      )
    }),
  )
  app.delete(
    `${BASE}/:name`,
    asCaller(async (caller, _request, param) => {
      const found = await find(caller, param('name'))
      if (!found || !(await subscriptions.remove(found.name))) return notFound('subscription', param('name'))
      ports.streams.end('removed', ({ subscription }) => subscription === found.name)
      return new Response(null, { status: 204 })
    }),
  )
  app.post(
    `${BASE}/:name/enable`,
    asCaller(async (caller, _request, param) => {
      const found = await find(caller, param('name'))
      if (!found || !(await subscriptions.enable(found.name))) return notFound('subscription', param('name'))
      return Response.json({ name: found.name })
    }),
  )
  app.get(
    `${BASE}/:name/events`,
    asCaller(async (caller, request, param) => {
      // Hono gives HEAD to routes of GET: it would hold up a stream that nobody reads.
      if (request.method !== 'GET') return new Response(null, { headers: { 'content-type': 'text/event-stream' } })
      const found = await find(caller, param('name'))
      return found ? openStream(found, { caller, request, ports, open }) : notFound('subscription', param('name'))
    }),
  )
  app.post(
    `${BASE}/:name/acks`,
    asCaller(async (caller, request, param) => {
      const found = await find(caller, param('name'))
      if (!found) return notFound('subscription', param('name'))
      const body = await readBody(request, acknowledgeRequestSchema, { bytesMax: limits.hubRequestBytesMax })
      return body.ok ? Response.json(ports.streams.acknowledge(found.name, body.value)) : body.problem
    }),
  )
}

/** Whoever may not touch it is told the same as if there were none. */
export async function findOwn(
  caller: Caller,
  name: string,
  { subscriptions }: Pick<HubPorts, 'subscriptions'>,
): Promise<SubscriptionFacts | null> {
  const found = await subscriptions.get(name)
  return found && mayTouch(caller, found.owner) ? found : null
}

/** The names of a spoke's subscriptions; null for the operator, whose are all. */
export async function ownNames(
  caller: Caller,
  { subscriptions }: Pick<HubPorts, 'subscriptions'>,
): Promise<readonly string[] | null> {
  if (caller.kind === 'operator') return null
  return (await subscriptions.list()).filter(({ owner }) => mayTouch(caller, owner)).map(({ name }) => name)
}

type Opening = {
  readonly caller: Caller
  readonly request: Request
  readonly ports: HubPorts
  readonly open: OpenStreams
}

async function openStream(found: SubscriptionFacts, { caller, request, ports, open }: Opening): Promise<Response> {
  const { streams, limits } = ports
  const { name, target, policy } = found
  if (target.kind !== 'stream') {
    const detail = `Expected a subscription with target "stream", ${name} has "${target.kind}"; put it with the other target first.`
    return toProblem({ status: 409, code: 'subscription-not-stream', detail })
  }
  const asked = new URL(request.url).searchParams.get('window')
  const window = asked === null ? policy.concurrency : Number(asked)
  if (!Number.isInteger(window) || window < 1)
    return badRequest(
      'window-invalid',
      `window: expected a whole number from 1 to ${policy.concurrency}, got ${JSON.stringify(asked)}.`,
    )
  if (!ports.isBusHere()) {
    const detail = 'Another process delivers for now; come again, here or there.'
    return toProblem({ status: 503, code: 'bus-elsewhere', detail, headers: { 'retry-after': '1' } })
  }
  const owner = ownerOf(caller)
  const leave = open.enter(owner)
  if (leave === null) {
    const detail = `${open.count()} streams are open, the limit is ${limits.hubStreamsMax}, ${limits.hubSpokeStreamsMax} of one spoke; try again later.`
    return toProblem({ status: 429, code: 'too-many-streams', detail, headers: { 'retry-after': '5' } })
  }
  const stream = openDeliveryStream({
    streams,
    subscription: name,
    reader: { owner, tokenId: caller.kind === 'spoke' ? caller.spoke.tokenId : null },
    window: Math.min(window, policy.concurrency),
    limits,
    gone: request.signal,
    cut: (idleMs) => ports.cut(request, idleMs),
    onGone: leave,
  })
  return (await refuseMeanwhile(request, ports, stream.close)) ?? stream.response
}

/** Whoever renewed or revoked the token before the stream was there could not end it. */
async function refuseMeanwhile(request: Request, ports: HubPorts, close: () => void): Promise<Response | null> {
  try {
    const caller = await identify(request, ports)
    if (!(caller instanceof Response)) return null
    close()
    return caller
  } catch (error) {
    close()
    throw error
  }
}
