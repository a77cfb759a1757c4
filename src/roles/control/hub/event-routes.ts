import type { Hono } from 'hono'
import { toPositionText, topicNameSchema } from '../../../contracts/index.ts'
import { mayPublish } from '../../../hub/index.ts'
import { Fault } from '../../../kernel/index.ts'
import { toProblem } from '../problem.ts'
import { type AsCaller, type Caller, ownerOf } from './caller.ts'
import { parseBinary, parseStructured } from './cloud-event-http.ts'
import type { EventToPublish, HubPorts } from './ports.ts'
import { badRequest } from './problems.ts'
import { isRawTopic } from './raw-topics.ts'
import { boundBody, createWholeBodies } from './request-body.ts'
import { createShares } from './shares.ts'

const STRUCTURED = /^application\/cloudevents\+json\s*(;|$)/i
const BATCH = /^application\/cloudevents-batch\+json\s*(;|$)/i
const RECORD_HEADER = 'tentpole-header-'

/** What comes in: events, and raw records for pipes. */
export function addEventRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { limits } = ports
  const bodies = createWholeBodies(limits)
  const boundPayload = (request: Request): ReadableStream<Uint8Array> =>
    boundBody(request, { bytesMax: limits.hubRecordBytesMax, idleMs: limits.hubRequestIdleMs })
  const payloads = createShares({
    what: 'payloads',
    max: limits.hubSpokePayloadsMax,
    retryAfterMs: limits.hubBusyRetryMs,
  })

  const publishAs = async (caller: Caller, events: readonly EventToPublish[], isBatch: boolean): Promise<Response> => {
    const refusal = refuseTypes(caller, events, isBatch)
    if (refusal) return refusal
    const sent = events.map((event) => ({ ...event, ...toSource(caller, event) }))
    const published = await ports.publish(sent).catch((error: unknown) => {
      throw isBatch ? error : withoutIndex(error)
    })
    return Response.json({
      events: published.map(({ event, position }) => ({ id: event.id, position: toPositionText(position) })),
    })
  }

  app.post(
    '/hub/v1/events',
    asCaller(async (caller, request) => {
      const contentType = request.headers.get('content-type') ?? ''
      const isBatch = BATCH.test(contentType)
      if (isBatch || STRUCTURED.test(contentType)) {
        const { text, release } = await bodies.read(request, ownerOf(caller) ?? '')
        try {
          return await publishAs(
            caller,
            parseStructured(text, { isBatch, eventsMax: limits.hubRequestEventsMax }),
            isBatch,
          )
        } finally {
          release()
        }
      }
      if (request.headers.has('ce-specversion'))
        return payloads.run(caller, () =>
          publishAs(caller, [parseBinary(request.headers, boundPayload(request))], false),
        )
      return refuseMediaType(contentType)
    }),
  )

  app.post(
    '/hub/v1/records/:topic',
    asCaller(async (caller, request, param) => {
      const topic = topicNameSchema.safeParse(param('topic'))
      if (!topic.success) return badRequest('topic-invalid', topic.error.issues[0]?.message ?? '')
      if (caller.kind === 'spoke' && !caller.spoke.topics.includes(topic.data)) {
        const detail = `The spoke ${caller.spoke.name} may not append to ${topic.data}; its topics: ${caller.spoke.topics.join(', ') || 'none'}.`
        return toProblem({ status: 403, code: 'topic-forbidden', detail })
      }
      if (!isRawTopic(topic.data, ports.registry))
        return badRequest(
          'topic-of-events',
          `${topic.data} is a topic of events or the platform's own: publish to /hub/v1/events, or append to another.`,
        )
      const headers: Record<string, string> = {}
      request.headers.forEach((value, name) => {
        if (name.startsWith(RECORD_HEADER)) headers[name.slice(RECORD_HEADER.length)] = value
      })
      const key = request.headers.get('tentpole-key') ?? ''
      const [position] = await payloads.run(caller, () =>
        ports.appendRecords(topic.data, [{ key, headers, body: boundPayload(request) }]),
      )
      return Response.json({ position: position ? toPositionText(position) : null })
    }),
  )
}

/** A spoke cannot speak for another: what it says is from `spokes/<name>`, whatever `source` it gave. */
function toSource(caller: Caller, event: EventToPublish): { source: string } {
  const owner = ownerOf(caller)
  return { source: owner === null ? (event.source ?? 'operator') : `spokes/${owner}` }
}

/** Where one event is the whole request, what is at fault in it is not in the first of several. */
function withoutIndex(error: unknown): unknown {
  if (!(error instanceof Fault) || !Array.isArray(error.detail['errors'])) return error
  const errors = error.detail['errors'].map((each: { path?: unknown; detail?: unknown }) => ({
    path: each.path,
    detail: each.detail,
  }))
  return new Fault(error.code, error.message, { cause: error, detail: { ...error.detail, errors } })
}

function refuseTypes(caller: Caller, events: readonly EventToPublish[], isBatch: boolean): Response | null {
  if (caller.kind === 'operator') return null
  const errors = events.flatMap(({ type }, index) =>
    mayPublish(caller.spoke, type)
      ? []
      : [
          {
            pointer: isBatch ? `/${index}/type` : '/type',
            detail: `this spoke may not publish ${JSON.stringify(type)}`,
          },
        ],
  )
  if (errors.length === 0) return null
  const detail = `The spoke ${caller.spoke.name} may publish ${caller.spoke.publishes.join(', ') || 'nothing'}; nothing of this was published.`
  return toProblem({ status: 403, code: 'type-forbidden', detail, errors: errors.slice(0, 100) })
}

function refuseMediaType(contentType: string): Response {
  const detail = `Expected application/cloudevents+json, application/cloudevents-batch+json, or binary mode with ce-specversion, got ${JSON.stringify(contentType)}.`
  return toProblem({ status: 415, code: 'not-cloudevents', detail })
}
