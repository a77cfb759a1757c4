import { z } from 'zod'
import { PLATFORMS, TIERS } from '../contracts/index.ts'

/** Faults of one section of a scenario, each with its path; none when it is sound. */
export type Section = (value: unknown, path: string) => readonly string[]

const FILM_MS_MAX = 3_600_000
const NAME = /^[a-z0-9][a-z0-9-]{0,60}$/
const ROLE = /^[a-z][a-z0-9-]*\*?$/

const positive = z.number().positive()
const timeMs = z.number().nonnegative()
const lengthMs = z.number().positive()
const share = z.number().min(0).max(1)
const count = z.int().nonnegative()
const role = z.string().regex(ROLE, 'expected a role such as "cell-a", "store" or "worker-*"')

const arrivals = z.union(
  [z.number().nonnegative(), z.strictObject({ from: z.number().nonnegative(), to: z.number().nonnegative() })],
  'expected times the baseline: a number from 0, or { from, to }',
)

const phase = z.strictObject({
  name: z.string().min(1).max(60),
  durationMs: lengthMs,
  arrivals,
  premiereEnds: z.strictObject({ spreadMs: timeMs }).optional(),
})

const population = z.strictObject({
  weight: positive,
  country: z.string().regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 code such as "DE"'),
  tier: z.enum(TIERS),
  platform: z.enum(PLATFORMS),
  lineBps: z.number().min(100_000),
})

const habits = z.strictObject({
  hesitationMs: z.tuple([timeMs, timeMs]),
  browseOnlyShare: share,
  watchToEndShare: share,
  watchMeanMs: lengthMs,
  seeksPerMinute: z.number().nonnegative(),
  patience: z.array(z.tuple([timeMs, share])).min(1),
  returnHomeShare: share,
  player: z.strictObject({
    startBufferMs: lengthMs,
    aheadMs: lengthMs,
    progressEveryMs: lengthMs,
    abrSafety: share.refine((value) => value > 0, 'expected more than 0'),
    abrInitialBps: positive,
    retryMs: z.array(lengthMs).min(1),
  }),
})

const conditions = z.strictObject({
  latencyMs: timeMs.optional(),
  jitterMs: timeMs.optional(),
  bytesPerSecond: positive.optional(),
  cut: z.enum(['reset', 'half-open']).optional(),
})

const fault = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('kill'),
    role,
    atMs: timeMs,
    times: z.int().min(1).max(1_000).optional(),
    everyMs: lengthMs.optional(),
  }),
  z.strictObject({ kind: z.literal('down'), role, atMs: timeMs, forMs: lengthMs }),
  z.strictObject({ kind: z.literal('freeze'), role, atMs: timeMs, forMs: lengthMs }),
  z.strictObject({
    kind: z.literal('link'),
    where: z
      .string()
      .regex(/^(viewers|store|cell-[a-z][a-z0-9-]*)$/, 'expected "viewers", "store" or a cell such as "cell-a"'),
    atMs: timeMs,
    forMs: lengthMs,
    conditions,
  }),
  z.strictObject({ kind: z.literal('disk-full'), atMs: timeMs, forMs: lengthMs }),
])

const operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('publish'), atMs: timeMs, filmMs: z.number().min(1_000).max(FILM_MS_MAX) }),
  z.strictObject({ kind: z.literal('withdraw'), atMs: timeMs }),
])

const objectives = z
  .strictObject({
    errorRatioMax: share,
    homeP99MsMax: positive,
    playbackP99MsMax: positive,
    startupP95MsMax: positive,
    rebufferRatioMax: share,
    viewersLostRatioMax: share,
    originOffloadMin: share,
    eventsLostMax: count,
    eventsDoubledMax: count,
    recoveryMsMax: positive,
    sparedCellsErrorsMax: count,
    unpublishedMax: count,
    violationsMax: count,
  })
  .partial()

/** One section each, so that a fault in one hides none in another. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  name: section(z.string().regex(NAME, 'expected lower-case letters, digits and dashes such as "friday-night"')),
  description: section(z.string().max(500)),
  baselinePerSecond: section(positive),
  phases: section(z.array(phase).min(1, 'expected at least one phase').max(1_000)),
  populations: section(z.array(population).min(1, 'expected at least one population')),
  titles: section(z.strictObject({ premiereShare: share, zipfExponent: z.number().min(0).max(10) })),
  habits: section(habits),
  faults: section(z.array(fault).max(1_000)),
  operations: section(z.array(operation).max(1_000)),
  objectives: section(objectives),
  bounds: section(z.strictObject({ viewersMax: z.int().min(1), requestsMax: z.int().min(1), durationMsMax: lengthMs })),
  platform: section(
    z.strictObject({
      workers: z.int().min(1, 'expected at least one worker: nobody else makes the films').max(64),
      premiereMs: z.number().min(1_000).max(FILM_MS_MAX),
      titles: z.int().min(0).max(200),
      titleMs: z.number().min(1_000).max(FILM_MS_MAX),
      diskBytes: z
        .int()
        .min(64 * 1024 * 1024)
        .nullable(),
    }),
  ),
}

function section(schema: z.ZodType): Section {
  return (value, path) =>
    (schema.safeParse(value).error?.issues ?? []).map(
      (issue) => `${[path, ...issue.path.map(String)].join('.')}: ${issue.message}`,
    )
}
