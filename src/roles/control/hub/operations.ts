import { z } from 'zod'
import {
  acknowledgeRequestSchema,
  deadLetterSchema,
  hubOverviewSchema,
  journeySchema,
  replayRequestSchema,
  replayViewSchema,
  spokeRequestSchema,
  subscriptionRequestSchema,
  subscriptionViewSchema,
} from '../../../contracts/index.ts'
import type { Operation } from '../operation.ts'

const eventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().optional(),
  source: z.string().optional(),
  type: z.string(),
  subject: z.string(),
  time: z.string().optional(),
  datacontenttype: z.literal('application/json').optional(),
  data: z.unknown(),
})
const publishedSchema = z.object({ events: z.array(z.object({ id: z.string(), position: z.string() })) })
const putSchema = z.object({ name: z.string(), created: z.boolean(), secret: z.string().optional() })
const countsSchema = z.object({ acknowledged: z.int(), refused: z.int(), unknown: z.int() })
const tokenSchema = z.object({ token: z.string() })
const spokeSchema = spokeRequestSchema.extend({ createdAtMs: z.int() })
const typeSchema = z.object({ type: z.string(), topic: z.string(), newest: z.string(), opaque: z.boolean() })
const shownLetterSchema = deadLetterSchema.extend({
  payload: z.string().nullable(),
  encoding: z.enum(['text', 'base64']).nullable(),
})
const viewStatusSchema = z.object({
  name: z.string(),
  version: z.int(),
  next: z.enum(['building', 'serving', 'failed']).nullable(),
  lagRecords: z.int(),
  lagMs: z.number(),
  leftOut: z.int(),
})
const settledLetterSchema = z.object({ id: z.string(), state: z.enum(['redriven', 'discarded']) })
const jsonObjectSchema = z.record(z.string(), z.unknown())

type Line = readonly [
  Operation['method'],
  string,
  string,
  number,
  z.ZodType | null,
  Partial<Pick<Operation, 'body' | 'bodyTypes' | 'query'> & { type: string }>?,
]

const SUBSCRIPTION = '/hub/v1/subscriptions/{name}'

const LINES: readonly Line[] = [
  [
    'post',
    '/hub/v1/events',
    'Publish; on disk when it is answered. One, a batch, or binary mode',
    200,
    publishedSchema,
    {
      body: z.union([eventSchema, z.array(eventSchema)]),
      bodyTypes: ['application/cloudevents+json', 'application/cloudevents-batch+json'],
    },
  ],
  [
    'post',
    '/hub/v1/records/{topic}',
    'Append a raw record for pipes: key and headers in `tentpole-key`, `tentpole-header-<name>`',
    200,
    z.object({ position: z.string().nullable() }),
    { body: z.string(), bodyTypes: ['application/octet-stream'] },
  ],
  [
    'get',
    '/hub/v1/subscriptions',
    'Subscriptions and how they fare',
    200,
    z.object({ subscriptions: z.array(subscriptionViewSchema) }),
  ],
  ['get', SUBSCRIPTION, 'One subscription', 200, subscriptionViewSchema],
  [
    'put',
    SUBSCRIPTION,
    'Create or change a subscription (201 when it is new)',
    200,
    putSchema,
    { body: subscriptionRequestSchema },
  ],
  ['delete', SUBSCRIPTION, 'Remove a subscription, its position and what is parked', 204, null],
  ['post', `${SUBSCRIPTION}/enable`, 'Go on after it was disabled', 200, z.object({ name: z.string() })],
  [
    'get',
    `${SUBSCRIPTION}/events`,
    'Its deliveries as server-sent events',
    200,
    null,
    { query: ['window'], type: 'text/event-stream' },
  ],
  [
    'post',
    `${SUBSCRIPTION}/acks`,
    'Acknowledge deliveries, or refuse them',
    200,
    countsSchema,
    { body: acknowledgeRequestSchema },
  ],
  [
    'post',
    `${SUBSCRIPTION}/replays`,
    'Deliver once more what was',
    201,
    replayViewSchema,
    { body: replayRequestSchema },
  ],
  [
    'get',
    '/hub/v1/tail',
    'Events as they happen, as server-sent events (operator only)',
    200,
    null,
    { query: ['pattern', 'topic'], type: 'text/event-stream' },
  ],
  ['get', '/hub/v1/replays', 'Replays, newest first', 200, z.object({ replays: z.array(replayViewSchema) })],
  ['delete', '/hub/v1/replays/{id}', 'Cancel a replay', 200, replayViewSchema],
  [
    'get',
    '/hub/v1/payloads/{ref}',
    'The bytes that an event refers to; checked with its `datasize` and `datadigest`',
    200,
    null,
    { type: 'application/octet-stream', query: ['size', 'digest'] },
  ],
  ['get', '/hub/v1/schemas', 'Event types', 200, z.object({ types: z.array(typeSchema) })],
  ['get', '/hub/v1/schemas/{type}', 'JSON Schema of the data of one type', 200, jsonObjectSchema],
  ['get', '/hub/v1/overview', 'Producers, pipes, subscriptions, topics', 200, hubOverviewSchema],
  [
    'get',
    '/hub/v1/views',
    'Views of the hub’s modules, and how far they are (operator only, as the next)',
    200,
    z.object({ views: z.array(viewStatusSchema) }),
  ],
  [
    'get',
    '/hub/v1/views/{name}',
    'What is in a view, at least up to the event at position `after`; else all that is on the log now',
    200,
    viewStatusSchema.extend({ state: z.unknown() }),
    { query: ['after'] },
  ],
  ['get', '/hub/v1/journeys/{id}', 'What became of one event', 200, journeySchema],
  [
    'get',
    '/hub/v1/dead-letters',
    'Dead letters, newest first; `before` is the `next` of the page before',
    200,
    z.object({ deadLetters: z.array(deadLetterSchema), next: z.string().nullable() }),
    { query: ['state', 'kind', 'name', 'before', 'max'] },
  ],
  ['get', '/hub/v1/dead-letters/{id}', 'One dead letter with its payload', 200, shownLetterSchema],
  ['post', '/hub/v1/dead-letters/{id}/redrive', 'Try it again', 200, settledLetterSchema],
  ['post', '/hub/v1/dead-letters/{id}/discard', 'Give it up for good', 200, settledLetterSchema],
  [
    'get',
    '/hub/v1/spokes',
    'Spokes and what they may (operator only, as the next four)',
    200,
    z.object({ spokes: z.array(spokeSchema) }),
  ],
  [
    'post',
    '/hub/v1/spokes',
    'Let a spoke in; its token is told this once',
    201,
    spokeSchema.extend(tokenSchema.shape),
    { body: spokeRequestSchema },
  ],
  [
    'put',
    '/hub/v1/spokes/{name}',
    'Change what a spoke may; its token stays',
    200,
    spokeSchema,
    { body: spokeRequestSchema.omit({ name: true }) },
  ],
  ['post', '/hub/v1/spokes/{name}/token', 'A new token; the old one is worth nothing from then on', 200, tokenSchema],
  [
    'delete',
    '/hub/v1/spokes/{name}',
    'Revoke a spoke at once; its subscriptions keep their place and are given nothing',
    204,
    null,
  ],
]

/** The hub's part of the API's description. */
export const HUB_OPERATIONS: readonly Operation[] = LINES.map(([method, path, summary, status, schema, more = {}]) => {
  const { type, ...rest } = more
  return { method, path, summary, ...rest, answer: { status, schema, ...(type === undefined ? {} : { type }) } }
})
