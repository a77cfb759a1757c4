import { z } from 'zod'
import { DELIVERY_ID_CHARACTERS_MAX } from './cloud-event.ts'

/** Names of subscriptions, pipes, spokes and views. */
export const hubNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected a name of 1 to 63 characters a-z, 0-9 and "-", a letter first')

export const topicNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'expected a topic of 1 to 100 characters a-z 0-9 . _ -')

/** How a subscription is delivered to. Between two attempts: full jitter below `min(backoffMaxMs, backoffMinMs * 2^attempts)`. */
export const deliveryPolicySchema = z
  .strictObject({
    /** Deliveries under way at once; those of one key go one after the other in any case. */
    concurrency: z.int().min(1).max(256).default(16),
    /** With the waits below, 20 take some half an hour: a receiver that is deployed anew loses nothing. */
    attemptsMax: z.int().min(1).max(100).default(20),
    backoffMinMs: z.int().min(10).max(3_600_000).default(500),
    backoffMaxMs: z.int().min(10).max(86_400_000).default(300_000),
    /** Of an event since it was appended; then it is a dead letter, whatever attempts are left. */
    ageMaxMs: z
      .int()
      .min(1_000)
      .max(30 * 86_400_000)
      .default(86_400_000),
    /** Of one attempt. */
    timeoutMs: z.int().min(10).max(600_000).default(30_000),
  })
  .meta({ id: 'DeliveryPolicy' })

export const targetSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('stream') }),
    z.strictObject({
      kind: z.literal('webhook'),
      url: z.url({ protocol: /^https?$/ }).max(2_000),
      /** Standard Webhooks: `whsec_` and 24 to 64 bytes in base64; made and told once when absent. */
      secret: z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected "whsec_" and 24 to 64 bytes in base64')
        .optional(),
    }),
    z.strictObject({ kind: z.literal('topic'), topic: topicNameSchema }),
  ])
  .meta({ id: 'SubscriptionTarget' })

/** An EventBridge input transformer: `paths` name values of the event, `template` puts them together. */
export const transformerSchema = z
  .strictObject({
    paths: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,256}$/), z.string().max(256)).default({}),
    template: z.string().min(1).max(8_192),
  })
  .meta({ id: 'InputTransformer' })

export const subscriptionStartSchema = z.union([
  z.enum(['now', 'beginning']),
  z.strictObject({ sinceMs: z.int().nonnegative() }),
])

export const subscriptionRequestSchema = z
  .strictObject({
    /** In EventBridge's syntax; it sees the event as `{ id, source, type, subject, time, data, … }`. */
    pattern: z.record(z.string(), z.unknown()),
    target: targetSchema,
    transformer: transformerSchema.optional(),
    policy: deliveryPolicySchema.prefault({}),
    /** For a new subscription; one that exists goes on where it is. */
    start: subscriptionStartSchema.default('now'),
  })
  .meta({ id: 'SubscriptionRequest' })

export type DeliveryPolicy = z.infer<typeof deliveryPolicySchema>
export type TargetDefinition = z.infer<typeof targetSchema>
export type InputTransformer = z.infer<typeof transformerSchema>
export type SubscriptionStart = z.infer<typeof subscriptionStartSchema>
export type SubscriptionRequest = z.infer<typeof subscriptionRequestSchema>

export const subscriptionViewSchema = z
  .object({
    name: hubNameSchema,
    /** The spoke it belongs to; null: the operator's, or the platform's own code. */
    owner: z.string().nullable(),
    kind: z.enum(['function', 'stream', 'webhook', 'topic']),
    pattern: z.unknown(),
    /** Where it goes, without secrets. */
    target: z.string(),
    /** `waiting`: nobody is connected, or too much is parked; `disabled`: the target asked for no more, `detail` says why. */
    state: z.enum(['active', 'waiting', 'disabled']),
    detail: z.string().nullable(),
    lagRecords: z.int(),
    parked: z.int(),
    parkedKeys: z.int(),
    deadLetters: z.int(),
    delivered: z.int(),
    failed: z.int(),
    deliveredPerSecond: z.number(),
    failedPerSecond: z.number(),
    /** From append to acknowledgement, of the last minute; null without deliveries. */
    latencyP50Ms: z.number().nullable(),
    latencyP99Ms: z.number().nullable(),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'Subscription' })

export const deadLetterSchema = z
  .object({
    id: z.string(),
    /** `delivery`: a subscription gave up; `pipe`: a record was refused. */
    kind: z.enum(['delivery', 'pipe']),
    /** Of the subscription or the pipe. */
    name: z.string(),
    eventId: z.string().nullable(),
    type: z.string().nullable(),
    key: z.string(),
    position: z.string(),
    /** Stable; and for people. */
    code: z.string(),
    reason: z.string(),
    /** Of the field at fault, where one is. */
    path: z.string().nullable(),
    attempts: z.int(),
    bytes: z.int(),
    firstFailedAtMs: z.int(),
    deadAtMs: z.int(),
    state: z.enum(['open', 'redriven', 'discarded']),
  })
  .meta({ id: 'DeadLetter' })

export const replayRequestSchema = z
  .strictObject({
    fromMs: z.int().nonnegative(),
    toMs: z.int().nonnegative(),
    /** Only events that match it too; absent: all that the subscription's own pattern takes. */
    pattern: z.record(z.string(), z.unknown()).optional(),
    eventsPerSecond: z.number().min(0.01).max(100_000).default(100),
  })
  .refine(({ fromMs, toMs }) => fromMs < toMs, { path: ['toMs'], message: 'expected a time after fromMs' })
  .meta({ id: 'ReplayRequest' })

export const replayViewSchema = z
  .object({
    id: z.string(),
    subscription: hubNameSchema,
    fromMs: z.int(),
    toMs: z.int(),
    eventsPerSecond: z.number(),
    state: z.enum(['running', 'done', 'cancelled', 'failed']),
    detail: z.string().nullable(),
    /** Read so far, and delivered of those. */
    read: z.int(),
    delivered: z.int(),
    createdAtMs: z.int(),
  })
  .meta({ id: 'Replay' })

export const pipeViewSchema = z
  .object({
    name: hubNameSchema,
    from: z.string(),
    lagRecords: z.int(),
    accepted: z.int(),
    /** Left out by its filter. */
    filtered: z.int(),
    quarantined: z.int(),
    acceptedPerSecond: z.number(),
    quarantinedPerSecond: z.number(),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'Pipe' })

export const producerViewSchema = z
  .object({ source: z.string(), events: z.int(), eventsPerSecond: z.number(), lastAtMs: z.int() })
  .meta({ id: 'Producer' })

export const hubOverviewSchema = z
  .object({
    producers: z.array(producerViewSchema),
    pipes: z.array(pipeViewSchema),
    subscriptions: z.array(subscriptionViewSchema),
    topics: z.array(z.object({ name: z.string(), first: z.int(), end: z.int(), archivedTo: z.int().nullable() })),
  })
  .meta({ id: 'HubOverview' })

/** What became of one event. */
export const journeySchema = z
  .object({
    /** As it is on the log; data by reference stays so. */
    event: z.unknown(),
    position: z.string(),
    appendedAtMs: z.int(),
    /** The pipe that made it, and from which record; null when it was published as it is. */
    pipe: z.string().nullable(),
    causedBy: z.string().nullable(),
    stops: z.array(
      z.object({
        subscription: z.string(),
        state: z.enum(['not-matched', 'pending', 'delivered', 'parked', 'waiting', 'dead', 'redriven', 'discarded']),
        attempts: z.int().nullable(),
        atMs: z.int().nullable(),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'EventJourney' })

export const spokeRequestSchema = z
  .strictObject({
    name: hubNameSchema,
    /** Event types it may publish: exact, or a beginning followed by `*`. */
    publishes: z.array(z.string().min(1).max(200)).max(64).default([]),
    /** It sees only events that match one of these patterns, whatever its subscriptions ask for. */
    patterns: z.array(z.record(z.string(), z.unknown())).max(64).default([]),
    /** Topics whose raw records it may append, for pipes. */
    topics: z.array(topicNameSchema).max(64).default([]),
  })
  .meta({ id: 'SpokeRequest' })

export const acknowledgeRequestSchema = z
  .strictObject({
    acks: z.array(z.string().max(DELIVERY_ID_CHARACTERS_MAX)).max(1_000).default([]),
    nacks: z
      .array(
        z.strictObject({
          id: z.string().max(DELIVERY_ID_CHARACTERS_MAX),
          reason: z.string().max(2_000),
          /** Trying again would not help: a dead letter at once. */
          final: z.boolean().default(false),
          retryAfterMs: z.int().min(0).max(86_400_000).optional(),
        }),
      )
      .max(1_000)
      .default([]),
  })
  .meta({ id: 'AcknowledgeRequest' })

export type SubscriptionView = z.infer<typeof subscriptionViewSchema>
export type DeadLetter = z.infer<typeof deadLetterSchema>
export type ReplayRequest = z.infer<typeof replayRequestSchema>
export type ReplayView = z.infer<typeof replayViewSchema>
export type PipeView = z.infer<typeof pipeViewSchema>
export type ProducerView = z.infer<typeof producerViewSchema>
export type HubOverview = z.infer<typeof hubOverviewSchema>
export type EventJourney = z.infer<typeof journeySchema>
export type SpokeRequest = z.infer<typeof spokeRequestSchema>
export type AcknowledgeRequest = z.infer<typeof acknowledgeRequestSchema>
