import { z } from 'zod'
import { sessionIdSchema, titleIdSchema } from './events.ts'
import { checkPurge, PURGE_SCOPES, PURGE_VALUE_CHARS_MAX } from './purge.ts'

/** The viewer API, version 1. Times are ms; positions and durations are ms of film. */

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    /** Stable; compare this. */
    code: z.string(),
    detail: z.string(),
    /** Names this one occurrence in the platform's log lines; only of unexpected errors. */
    instance: z.string().optional(),
    /** One entry per field at fault; `pointer` is RFC 6901. */
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' })

export const TIERS = ['free', 'standard', 'premium'] as const
export const PLATFORMS = ['web', 'ios', 'android', 'tv'] as const

export const sessionRequestSchema = z
  .strictObject({
    country: z.string().regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 code such as "DE"'),
    tier: z.enum(TIERS),
    platform: z.enum(PLATFORMS),
  })
  .meta({ id: 'SessionRequest' })

export const sessionResponseSchema = z
  .object({ viewerId: z.string(), token: z.string(), expiresAtMs: z.int(), cell: z.string() })
  .meta({ id: 'SessionResponse' })

export const titleCardSchema = z
  .object({
    id: titleIdSchema,
    name: z.string(),
    description: z.string(),
    durationMs: z.int(),
    /** Path of the poster, or null while there is none. */
    posterUrl: z.string().nullable(),
    /** `playable`: still being made, can be watched from start to end; `published`: complete. */
    state: z.enum(['playable', 'published']),
    createdAtMs: z.int(),
    /** This viewer's resume position, if any. */
    resumeMs: z.int().nullable(),
  })
  .meta({ id: 'TitleCard' })

export const homeResponseSchema = z
  .object({
    hero: titleCardSchema.nullable(),
    rails: z.array(z.object({ id: z.enum(['continue', 'new']), name: z.string(), titles: z.array(titleCardSchema) })),
  })
  .meta({ id: 'Home' })

export const titleResponseSchema = titleCardSchema
  .extend({
    captions: z.array(z.object({ language: z.string(), label: z.string() })),
    heights: z.array(z.int()),
  })
  .meta({ id: 'Title' })

export const playbackRequestSchema = z.strictObject({ titleId: titleIdSchema }).meta({ id: 'PlaybackRequest' })

export const playbackResponseSchema = z
  .object({
    sessionId: z.string(),
    /** Path on the edge, signed: `/v/<token>/<title>/main.m3u8`. */
    manifestUrl: z.string(),
    heartbeatMs: z.int(),
    expiresAtMs: z.int(),
    resumeMs: z.int(),
    durationMs: z.int(),
  })
  .meta({ id: 'Playback' })

/** `POST /v1/playback/{sessionId}/heartbeat` */
export const heartbeatRequestSchema = z.strictObject({ token: z.string().max(512) }).meta({ id: 'HeartbeatRequest' })
export const heartbeatResponseSchema = z
  .object({ token: z.string(), expiresAtMs: z.int(), heartbeatMs: z.int() })
  .meta({ id: 'Heartbeat' })

/** `DELETE /v1/playback/{sessionId}` */
export const playbackEndedResponseSchema = z
  .object({ sessionId: z.string(), endedAtMs: z.int() })
  .meta({ id: 'PlaybackEnded' })

export const signalsRequestSchema = z
  .strictObject({
    signals: z
      .array(
        z.strictObject({
          /** Made by the player; a repeat has no further effect. */
          id: z.uuid(),
          sessionId: z.string().min(1).max(64),
          titleId: titleIdSchema,
          kind: z.enum(['started', 'progress', 'stalled', 'ended']),
          positionMs: z.int().nonnegative().max(864_000_000),
        }),
      )
      .min(1)
      .max(50),
  })
  .meta({ id: 'SignalsRequest' })
export const signalsResponseSchema = z.object({ accepted: z.int() }).meta({ id: 'SignalsResponse' })

/** Claims of a viewer's token (JWT, EdDSA). `sub` is the viewer id. */
export const viewerClaimsSchema = z.object({
  sub: z.string(),
  country: z.string(),
  tier: z.enum(TIERS),
  platform: z.enum(PLATFORMS),
  cell: z.string(),
  exp: z.int(),
})
export type ViewerClaims = z.infer<typeof viewerClaimsSchema>

/** The staff API, on control's port, behind the operator token. */

export const titleStateSchema = z.enum(['uploading', 'processing', 'playable', 'published', 'failed', 'withdrawn'])
export type TitleState = z.infer<typeof titleStateSchema>

export const createTitleRequestSchema = z
  .strictObject({ name: z.string().trim().min(1).max(200), description: z.string().max(2_000).default('') })
  .meta({ id: 'CreateTitleRequest' })

export const staffTitleSchema = z
  .object({
    id: titleIdSchema,
    name: z.string(),
    description: z.string(),
    state: titleStateSchema,
    percent: z.number(),
    stages: z.array(z.object({ name: z.string(), done: z.int(), total: z.int() })),
    /** Why it failed or was withdrawn. */
    code: z.string().nullable(),
    reason: z.string().nullable(),
    fileName: z.string().nullable(),
    durationMs: z.int().nullable(),
    heights: z.array(z.int()),
    createdAtMs: z.int(),
    updatedAtMs: z.int(),
    /** The watch page of the title. */
    watchUrl: z.string(),
    posterUrl: z.string().nullable(),
  })
  .meta({ id: 'StaffTitle' })
export type StaffTitle = z.infer<typeof staffTitleSchema>

export const withdrawRequestSchema = z
  .strictObject({ reason: z.string().max(500).default('') })
  .meta({ id: 'WithdrawRequest' })

/** `POST /api/sessions/{id}/revoke` */
export const revokeRequestSchema = z
  .strictObject({ reason: z.string().max(500).default('') })
  .meta({ id: 'RevokeRequest' })
export const revokedResponseSchema = z
  .object({ sessionId: sessionIdSchema, revokedAtMs: z.int() })
  .meta({ id: 'Revoked' })
export type Revoked = z.infer<typeof revokedResponseSchema>

/** `POST /api/purges` */
export const purgeRequestSchema = z
  .strictObject({
    scope: z.enum(PURGE_SCOPES),
    value: z.string().min(1).max(PURGE_VALUE_CHARS_MAX),
    reason: z.string().max(500).default(''),
  })
  .superRefine(checkPurge)
  .meta({ id: 'PurgeRequest' })
export const purgedResponseSchema = z
  .object({ eventId: z.string(), scope: z.enum(PURGE_SCOPES), value: z.string() })
  .meta({ id: 'Purged' })
export type Purged = z.infer<typeof purgedResponseSchema>

/** Health of one role process, as the supervisor sees it. */
export const roleStatusSchema = z.object({
  name: z.string(),
  role: z.enum(['store', 'cell', 'edge', 'control', 'worker']),
  state: z.enum(['starting', 'healthy', 'unhealthy', 'draining', 'stopped', 'backoff']),
  pid: z.int().nullable(),
  restarts: z.int(),
  sinceMs: z.int(),
  detail: z.string().nullable(),
})
export type RoleStatus = z.infer<typeof roleStatusSchema>

export const platformStatusSchema = z.object({
  healthy: z.boolean(),
  version: z.string(),
  startedAtMs: z.int(),
  watchUrl: z.string(),
  consoleUrl: z.string(),
  roles: z.array(roleStatusSchema),
})
export type PlatformStatus = z.infer<typeof platformStatusSchema>
