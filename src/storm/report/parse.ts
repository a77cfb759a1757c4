import { z } from 'zod'
import { Fault } from '../../kernel/index.ts'
import { REQUEST_KINDS } from '../viewer/protocol.ts'
import { REPORT_VERSION, type StormReport } from './report.ts'

const ms = z.number()
const count = z.number().nonnegative()
const counts = z.record(z.string(), count)

const phaseSchema = z.object({ name: z.string(), fromMs: ms, toMs: ms })

const objectiveSchema = z.object({
  id: z.string(),
  name: z.string(),
  limit: z.number(),
  bound: z.enum(['max', 'min']),
  unit: z.enum(['ratio', 'ms', 'count']),
  measured: z.number().nullable(),
  outcome: z.enum(['met', 'missed', 'not-measured']),
  detail: z.string(),
})

const totalsSchema = z.object({
  viewers: count,
  viewersPeak: count,
  requests: count,
  abandoned: count,
  requestsPerSecondPeak: count,
  errors: count,
  errorsByReason: counts,
  bytes: count,
  plays: count,
  started: count,
  gaveUp: count,
  startups: count,
  startupP50Ms: ms,
  startupP95Ms: ms,
  playedMs: ms,
  stalledMs: ms,
  stalls: count,
  offloadKnown: count,
  offloadHits: count,
})

const requestSchema = z.object({
  kind: z.enum(REQUEST_KINDS),
  count,
  errors: count,
  p50Ms: ms,
  p99Ms: ms,
  p999Ms: ms,
  maxMs: ms,
})

const cellSchema = z.object({ cell: z.string(), viewers: count, requests: count, errors: count, p50Ms: ms, p99Ms: ms })

const sampleSchema = z.object({
  atMs: ms,
  browsing: count,
  starting: count,
  playing: count,
  stalled: count,
  arrivals: count,
  requests: count,
  errors: count,
  bytes: count,
  p50Ms: ms.nullable(),
  p99Ms: ms.nullable(),
  homeP99Ms: ms.nullable(),
  playbackP99Ms: ms.nullable(),
  startupP95Ms: ms.nullable(),
  gaveUp: count,
  lagP99Ms: ms,
  cpu: z.number(),
  rssBytes: count,
  errorsByCell: counts,
  rolesDown: z.array(z.string()).nullable(),
})

const timelineSchema = z.object({
  atMs: ms,
  kind: z.enum(['phase', 'fault', 'recovered', 'operation', 'violation', 'note']),
  label: z.string(),
})

const faultSchema = z.object({
  id: z.string(),
  label: z.string(),
  roles: z.array(z.string()),
  marks: z.array(
    z.object({
      faultId: z.string(),
      label: z.string(),
      phase: z.enum(['struck', 'ended', 'failed']),
      atMs: ms,
      roles: z.array(z.string()),
    }),
  ),
  recoveredAfterMs: ms.nullable(),
  failure: z.string().nullable(),
})

const probeSchema = z.object({
  id: z.enum(['listed-plays', 'signature-needed', 'withdrawn-stops', 'resume-exact']),
  name: z.string(),
  checks: count,
  violations: z.array(z.object({ atMs: ms, what: z.string() })),
  notProbed: z.string().nullable(),
})

const reportSchema = z.object({
  version: z.literal(REPORT_VERSION),
  id: z.string(),
  startedAt: z.string(),
  tool: z.object({ version: z.string(), bun: z.string() }),
  machine: z.object({ cores: count, memoryBytes: count, os: z.string() }),
  seed: z.number(),
  repeat: z.string(),
  scenario: z.object({
    name: z.string(),
    description: z.string(),
    baselinePerSecond: z.number(),
    durationMs: ms,
    phases: z.array(phaseSchema),
  }),
  target: z.object({ url: z.string(), startedByStorm: z.boolean(), version: z.string().nullable() }),
  verdict: z.enum(['passed', 'failed', 'invalid']),
  invalidBecause: z.array(z.string()),
  objectives: z.array(objectiveSchema),
  totals: totalsSchema,
  requests: z.array(requestSchema),
  cells: z.array(cellSchema),
  series: z.array(sampleSchema),
  timeline: z.array(timelineSchema),
  faults: z.array(faultSchema),
  probes: z.array(probeSchema),
  journal: z.object({
    acknowledged: count,
    lost: count,
    doubled: count,
    redelivered: count,
    notChecked: z.string().nullable(),
  }),
  generator: z.object({
    lagP50Ms: ms,
    lagP99Ms: ms,
    lagMaxMs: ms,
    cpuMean: z.number(),
    cpuMax: z.number(),
    rssBytesMax: count,
    priorityRaised: z.boolean(),
  }),
})

/** How many faults a message names: a report of another shape has hundreds of the same one. */
const ISSUES_SHOWN_MAX = 5

/** A `report.json` as text. Fault `report-unreadable` for what is not a storm's report of this version, with what is wrong. */
export function parseReport(text: string, name = 'report.json'): StormReport {
  const content = parseJson(text, name)
  const version = z.object({ version: z.number() }).safeParse(content)
  if (!version.success) {
    throw new Fault(
      'report-unreadable',
      `${name}: expected a storm's report, got JSON without a version; name a report.json`,
    )
  }
  if (version.data.version !== REPORT_VERSION) {
    const got = `format ${version.data.version}`
    throw new Fault(
      'report-unreadable',
      `${name}: expected a report of format ${REPORT_VERSION}, got ${got}; run that storm again`,
    )
  }
  const parsed = reportSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : ''
  throw new Fault(
    'report-unreadable',
    `${name}: not a whole storm report (${shown.join('; ')}${more}); run that storm again`,
  )
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const start = text.length === 0 ? 'an empty file' : JSON.stringify(text.slice(0, 40))
    throw new Fault('report-unreadable', `${name}: expected JSON, got ${start}; name a report.json`, { cause })
  }
}
