import { z } from 'zod'
import { planSchema } from './plan.ts'
import { checkPurge, PURGE_SCOPES, PURGE_VALUE_CHARS_MAX } from './purge.ts'

/** A title's id: 16 characters of Crockford base 32. */
export const titleIdSchema = z
  .string()
  .regex(/^[0-9a-hjkmnp-tv-z]{16}$/, 'expected a title id: 16 characters of 0-9 and a-z without i, l, o, u')

/** A session's id, in the characters that a path token can carry. */
export const sessionIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'expected a session id: 1 to 64 characters of A-Z, a-z, 0-9, "_", ".", ":" and "-"')

/** What is to leave every edge's cache, and why. */
export const purgeSchema = z
  .object({
    scope: z.enum(PURGE_SCOPES),
    value: z.string().min(1).max(PURGE_VALUE_CHARS_MAX),
    reason: z.string().max(500),
  })
  .superRefine(checkPurge)

export const titleMetadataSchema = z.object({
  name: z.string().min(1).max(200),
  description: z.string().max(2_000).default(''),
  /** When the title was created, ms since 1970. */
  createdAtMs: z.int().nonnegative(),
})

const objectKeySchema = z.string().min(1).max(512)

/** Segments that now exist and are verified. `track` is a rendition's id or `a0`. Repeats name the same keys. */
export const segmentsReadySchema = z.object({
  titleId: titleIdSchema,
  track: z.string(),
  init: z.object({ objectKey: objectKeySchema, codec: z.string() }),
  segments: z.array(z.object({ index: z.int().nonnegative(), objectKey: objectKeySchema, bytes: z.int().positive() })),
})

const titleOnly = z.object({ titleId: titleIdSchema })

/** One line per event type: its topic and what its `data` must be. The `subject` (and the log's key) is the title id, unless it says otherwise. */
export const EVENTS = {
  'tentpole.asset.uploaded.v1': {
    topic: 'assets',
    data: z.object({
      titleId: titleIdSchema,
      metadata: titleMetadataSchema,
      source: z.object({ objectKey: objectKeySchema, fileName: z.string(), bytes: z.int().nonnegative() }),
      captions: z.array(
        z.object({ objectKey: objectKeySchema, fileName: z.string(), language: z.string(), label: z.string() }),
      ),
    }),
  },
  'tentpole.title.planned.v1': {
    topic: 'titles',
    data: z.object({ titleId: titleIdSchema, metadata: titleMetadataSchema, plan: planSchema }),
  },
  'tentpole.title.segments.v1': { topic: 'titles', data: segmentsReadySchema },
  'tentpole.title.captions.v1': {
    topic: 'titles',
    data: z.object({ titleId: titleIdSchema, track: z.string(), objectKey: objectKeySchema }),
  },
  'tentpole.title.poster.v1': {
    topic: 'titles',
    data: z.object({ titleId: titleIdSchema, objectKey: objectKeySchema }),
  },
  /** Work done and work planned, per stage; 100% only with `published`. */
  'tentpole.title.progress.v1': {
    topic: 'titles',
    data: z.object({
      titleId: titleIdSchema,
      percent: z.number().min(0).max(100),
      stages: z.array(z.object({ name: z.string(), done: z.int().nonnegative(), total: z.int().nonnegative() })),
    }),
  },
  'tentpole.title.playable.v1': { topic: 'titles', data: titleOnly },
  'tentpole.title.published.v1': { topic: 'titles', data: titleOnly },
  /** Refused or given up; `code` is stable, `reason` is for people. */
  'tentpole.title.failed.v1': {
    topic: 'titles',
    data: z.object({ titleId: titleIdSchema, code: z.string(), reason: z.string() }),
  },
  'tentpole.title.withdrawn.v1': {
    topic: 'titles',
    data: z.object({ titleId: titleIdSchema, reason: z.string().max(500) }),
  },
  /** The session is over: no edge serves it, no cell renews it. Subject: the session id. */
  'tentpole.session.revoked.v1': {
    topic: 'edge',
    data: z.object({
      sessionId: sessionIdSchema,
      reason: z.string().max(500),
      revokedAtMs: z.int().nonnegative(),
      endedBy: z.enum(['staff', 'viewer']).default('staff'),
    }),
  },
  /** Subject: the scope, so that the purges of one scope keep their order. */
  'tentpole.cache.purged.v1': { topic: 'edge', data: purgeSchema },
  /** A player asked for a segment that is not made yet. */
  'tentpole.segment.wanted.v1': {
    topic: 'media',
    data: z.object({ titleId: titleIdSchema, track: z.string(), index: z.int().nonnegative() }),
  },
  /** Subject: the session id. */
  'tentpole.playback.started.v1': {
    topic: 'sessions',
    data: z.object({
      sessionId: z.string(),
      viewerId: z.string(),
      titleId: titleIdSchema,
      country: z.string(),
      tier: z.string(),
      platform: z.string(),
      cell: z.string(),
    }),
  },
  /** Subject: the viewer id. */
  'tentpole.playback.signal.v1': {
    topic: 'signals',
    data: z.object({
      sessionId: z.string(),
      viewerId: z.string(),
      titleId: titleIdSchema,
      kind: z.enum(['started', 'progress', 'stalled', 'ended']),
      positionMs: z.int().nonnegative(),
    }),
  },
  /** A subscription gave an event up: said exactly when its dead letter exists. Subject: the subscription's name. */
  'tentpole.delivery.dead.v1': {
    topic: 'dead-letters',
    data: z.object({
      letterId: z.string(),
      subscription: z.string(),
      eventId: z.string(),
      eventType: z.string(),
      /** Where the event is on the log, `<topic>:<partition>:<offset>`. */
      position: z.string(),
      code: z.string(),
      reason: z.string(),
      attempts: z.int().nonnegative(),
    }),
  },
} as const satisfies Record<string, { topic: string; data: z.ZodType }>

export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = z.infer<(typeof EVENTS)[T]['data']>

/** CloudEvents 1.0, JSON format, structured mode. */
export type CloudEvent<T extends EventType = EventType> = T extends EventType
  ? {
      readonly specversion: '1.0'
      readonly id: string
      readonly source: string
      readonly type: T
      readonly subject: string
      /** RFC 3339. */
      readonly time: string
      readonly datacontenttype: 'application/json'
      readonly data: EventData<T>
    }
  : never

export const TOPICS = ['assets', 'titles', 'media', 'sessions', 'signals', 'edge', 'dead-letters'] as const
/** Topics whose oldest records may go once `logRetentionBytes` is exceeded. */
export const TRIMMED_TOPICS: readonly string[] = ['media', 'sessions', 'signals', 'edge', 'dead-letters']
