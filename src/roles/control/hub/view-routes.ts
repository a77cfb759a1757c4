import type { Hono } from 'hono'
import type { AnyEvent, EventJourney, HubOverview } from '../../../contracts/index.ts'
import { type AsCaller, type Caller, mayTouch } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { badRequest, notFound } from './problems.ts'
import { createShares } from './shares.ts'
import { ownNames } from './subscription-routes.ts'

const DIGEST = /^sha-256=[0-9a-f]{64}$/

/** What there is to look at: schemas, payloads, the hub as a whole, one event's way. */
export function addViewRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { registry, limits } = ports
  // Each reads through the log, for seconds where the event is not found.
  const searches = createShares({ what: 'searches', max: 1, retryAfterMs: limits.hubBusyRetryMs })

  app.get(
    '/hub/v1/schemas',
    asCaller(async () =>
      Response.json({
        types: registry.types().map((type) => ({
          type,
          topic: registry.get(type)?.topic,
          newest: registry.newest(type),
          opaque: registry.get(type)?.data === null,
        })),
      }),
    ),
  )
  app.get(
    '/hub/v1/schemas/:type',
    asCaller(async (_caller, _request, param) => {
      const definition = registry.get(param('type'))
      if (!definition) return notFound('schema', param('type'))
      const { contentTypes } = definition
      const schema = registry.jsonSchema(param('type'))
      return Response.json(schema ?? { opaque: true, ...(contentTypes ? { contentTypes } : {}) })
    }),
  )
  app.get(
    '/hub/v1/payloads/*',
    asCaller(async (_caller, request) => openPayload(request, ports)),
  )
  app.get(
    '/hub/v1/overview',
    asCaller(async (caller) => Response.json(narrow(caller, await ports.overview()))),
  )
  app.get(
    '/hub/v1/journeys/:id',
    asCaller(async (caller, _request, param) => {
      const journey = await searches.run(caller, () => ports.journey(param('id')))
      const seen = journey && (await narrowJourney(caller, journey, ports))
      return seen ? Response.json(seen) : notFound('event', param('id'))
    }),
  )
}

/**
 * A claim's bytes. Any token opens it: the reference has 80 random bits in it and is only told to those who were given the
 * event. With what the event says of them, `?size=…&digest=…`, they are checked on the way.
 */
async function openPayload(request: Request, { claims, limits, cut }: HubPorts): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const ref = pathname.slice('/hub/v1/payloads/'.length)
  const digest = searchParams.get('digest')
  const size = Number(searchParams.get('size') ?? Number.NaN)
  if (digest !== null && !(DIGEST.test(digest) && Number.isSafeInteger(size) && size >= 0))
    return badRequest(
      'payload-query',
      'Expected ?size=<datasize>&digest=<datadigest> as the event says, the digest as sha-256=<hex>.',
    )
  const opened =
    digest === null ? await claims.unchecked(ref) : { size, body: await claims.stream({ ref, size, digest }) }
  if (!opened) return notFound('payload', ref)
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(opened.size),
    'cache-control': 'no-store',
  }
  // Hono gives HEAD to routes of GET.
  if (request.method === 'GET')
    return new Response(
      cutWhenUnread(opened.body, limits.hubStreamStallMs, () => cut(request)),
      { headers },
    )
  await opened.body.cancel()
  return new Response(null, { headers })
}

/** The server never cuts a reader who stands still: without this, one could hold a file open for ever. */
function cutWhenUnread(body: ReadableStream<Uint8Array>, stallMs: number, cut: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(timer)
        const { done, value } = await reader.read()
        if (done) return controller.close()
        controller.enqueue(value)
        timer = setTimeout(() => {
          controller.error(new Error(`nothing was read for ${stallMs} ms`))
          cut()
          reader.cancel().catch(() => {})
        }, stallMs)
      },
      cancel(reason) {
        clearTimeout(timer)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** What a spoke may know of the whole: its own subscriptions, and itself as a producer. */
function narrow(caller: Caller, overview: HubOverview): HubOverview {
  if (caller.kind === 'operator') return overview
  return {
    producers: overview.producers.filter(({ source }) => source === `spokes/${caller.spoke.name}`),
    pipes: [],
    subscriptions: overview.subscriptions.filter(({ owner }) => mayTouch(caller, owner)),
    topics: [],
  }
}

/** Null where a spoke must not see the event. */
async function narrowJourney(caller: Caller, journey: EventJourney, ports: HubPorts): Promise<EventJourney | null> {
  if (caller.kind === 'operator') return journey
  const event = await ports.withData(journey.event as AnyEvent) // from the log, checked when it was read
  const isOwn = event.source === `spokes/${caller.spoke.name}`
  if (!isOwn && (await ports.spokes.look(caller.spoke.name, event)) !== 'visible') return null
  const own = (await ownNames(caller, ports)) ?? []
  return { ...journey, stops: journey.stops.filter(({ subscription }) => own.includes(subscription)) }
}
