import { z } from 'zod'

/** What an edge counted since it started: from the edge to control, and from control to the console. */

export const CACHE_OUTCOMES = ['hit', 'stale', 'revalidated', 'miss', 'collapsed', 'bypass', 'none'] as const
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number]
/** Methods are the client's own words: what is none of these is counted as `other`. */
export const COUNTED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'] as const
/** Upper bounds of the buckets of durations, seconds; the last bucket has none. */
export const DURATION_BOUNDS_S: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]
/** The name under which everything beyond the bound of a list of names is counted. */
export const OTHER_NAME = 'other'

const count = z.number().nonnegative()

/** Hits: whose content was here, fresh or found unchanged. Stale: here, and sent though too old. Misses: came from an origin now. The rest is not for the cache. */
const tally = { requests: count, hits: count, stale: count, misses: count, bytes: count }

export const edgeTallySchema = z.object({ name: z.string(), ...tally })
export type EdgeTally = z.infer<typeof edgeTallySchema>

/** `errorMax`: by how much the figure that the list is ordered by may be too high; the others may be too low. */
export const edgeTopObjectSchema = z.object({ key: z.string(), ...tally, errorMax: count })
export type EdgeTopObject = z.infer<typeof edgeTopObjectSchema>

export const edgeMetricsSchema = z
  .object({
    /** When counting began: with the edge's process. */
    startedAtMs: z.number(),
    requests: z.array(
      z.object({
        cache: z.enum(CACHE_OUTCOMES),
        method: z.enum(COUNTED_METHODS),
        status: z.enum(STATUS_CLASSES),
        count,
      }),
    ),
    /** Answers whose client went away or was cut off before their end. */
    incomplete: count,
    outcomes: z.array(
      z.object({
        cache: z.enum(CACHE_OUTCOMES),
        bytes: count,
        durationSumS: count,
        /** By `DURATION_BOUNDS_S`, each on its own, and one more. */
        durationCounts: z.array(count),
      }),
    ),
    cells: z.array(edgeTallySchema),
    tags: z.array(edgeTallySchema),
    topByRequests: z.array(edgeTopObjectSchema),
    topByBytes: z.array(edgeTopObjectSchema),
    /** The following are of now, and null for an edge that has no such part. */
    memory: z
      .object({
        bytes: count,
        bytesMax: count,
        entries: count,
        slices: count,
        admitted: count,
        refused: count,
        evicted: count,
        purged: count,
      })
      .nullable(),
    fetches: z.object({ fetches: count, readers: count, bufferedBytes: count }).nullable(),
    origins: z.array(z.object({ name: z.string(), state: z.enum(['up', 'down', 'trial']) })).nullable(),
    cellLinks: z.array(z.object({ name: z.string(), connected: z.boolean() })).nullable(),
    server: z.object({ connections: count, inFlight: count, refusals: z.record(z.string(), count) }).nullable(),
  })
  .meta({ id: 'EdgeMetrics' })
export type EdgeMetrics = z.infer<typeof edgeMetricsSchema>

/** Sums at one moment; what happened between two of them is their difference, unless `startedAtMs` differs. */
export const edgeSampleSchema = z.object({
  atMs: z.number(),
  startedAtMs: z.number(),
  requests: count,
  hits: count,
  stale: count,
  misses: count,
  errors: count,
  bytes: count,
})
export type EdgeSample = z.infer<typeof edgeSampleSchema>

/** `GET /api/edge`. */
export const edgeViewSchema = z
  .object({
    /** When this was said, and when the edge was last heard, both by the same clock; null when it never was. */
    atMs: z.number(),
    heardAtMs: z.number().nullable(),
    /** How often it is asked; nothing new is to be had sooner. */
    periodMs: z.number(),
    metrics: edgeMetricsSchema.nullable(),
    /** Oldest first. */
    samples: z.array(edgeSampleSchema),
  })
  .meta({ id: 'EdgeView' })
export type EdgeView = z.infer<typeof edgeViewSchema>
