import type { CellFigures, RequestFigures, Sample, Totals } from '../report/report.ts'
import { REQUEST_KINDS, type RequestKind, type ViewerMode, type ViewerNote } from '../viewer/protocol.ts'
import { createLatencies, type Latencies } from './latencies.ts'

/** A request that came to its end. */
export type Outcome = {
  readonly kind: RequestKind
  readonly cell: string | null
  /** Since it was due. */
  readonly latencyMs: number
  /** What failed: a status, `timeout`, `connection`, `unreadable`, `unanswered`; null when nothing did. */
  readonly error: string | null
  readonly bytes: number
  /** When it was due, ms from the storm's begin. */
  readonly dueMs: number
  /** The viewer left before it was answered: the latency is how long they waited. */
  readonly abandoned: boolean
  /** `Cache-Status` of the answer, null when it carried none. */
  readonly cacheStatus: string | null
}

export type DueSecond = { readonly requests: number; readonly errors: number }

/** What storm knows of a second besides what was recorded. */
export type Surroundings = Pick<Sample, 'cpu' | 'rssBytes' | 'rolesDown'>

/** Counts what viewers meet: as a whole, and second by second. */
export type Recorder = {
  arrived(): void
  done(outcome: Outcome): void
  moved(from: ViewerMode | null, to: ViewerMode): void
  note(note: ViewerNote): void
  /** How late the generator itself was. */
  lag(ms: number): void
  /** Ends a second. */
  sample(atMs: number, around: Surroundings): Sample
  samples(): readonly Sample[]
  /** By the second in which requests were due: how many have ended, and how many of them failed. */
  due(): readonly DueSecond[]
  totals(): Totals
  requests(): readonly RequestFigures[]
  cells(): readonly CellFigures[]
  lags(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }
}

const MEDIA_FILES: ReadonlySet<RequestKind> = new Set(['init', 'segment', 'art'])

const CELLS_MAX = 64
const OTHER_CELLS = 'others'

type Tally = { readonly latencies: Latencies; count: number; errors: number }
type CellTally = Tally & { viewers: number; errorsNow: number }

export function createRecorder(): Recorder {
  const kinds = new Map(REQUEST_KINDS.map((kind): [RequestKind, Tally] => [kind, createTally()]))
  const cells = new Map<string, CellTally>()
  const startup = createLatencies()
  const lags = createLatencies()
  const second = createSecond()
  const modes: Record<ViewerMode, number> = { browsing: 0, starting: 0, playing: 0, stalled: 0, gone: 0 }
  const errorsByReason: Record<string, number> = {}
  const samples: Sample[] = []
  const due: { requests: number; errors: number }[] = []
  const sums = {
    viewers: 0,
    viewersPeak: 0,
    requests: 0,
    abandoned: 0,
    requestsPerSecondPeak: 0,
    errors: 0,
    bytes: 0,
    plays: 0,
    started: 0,
    gaveUp: 0,
    playedMs: 0,
    stalledMs: 0,
    stalls: 0,
    offloadKnown: 0,
    offloadHits: 0,
  }

  const cellOf = (wanted: string): CellTally => {
    // A target that names a new cell each time must not have storm's memory.
    const name = cells.has(wanted) || cells.size < CELLS_MAX ? wanted : OTHER_CELLS
    const known = cells.get(name)
    if (known) return known
    const made = { ...createTally(), viewers: 0, errorsNow: 0 }
    cells.set(name, made)
    return made
  }

  const countDue = (dueMs: number, isError: boolean): void => {
    const second = Math.floor(dueMs / 1000)
    while (due.length <= second) due.push({ requests: 0, errors: 0 })
    const counts = due[second]
    if (!counts) return
    counts.requests += 1
    if (isError) counts.errors += 1
  }

  const noteByType: { [T in ViewerNote['type']]?: (note: Extract<ViewerNote, { type: T }>) => void } = {
    cell: (note) => {
      cellOf(note.cell).viewers += 1
    },
    started: (note) => {
      sums.started += 1
      startup.record(note.ms)
      second.startup.record(note.ms)
    },
    stalled: (note) => {
      if (note.cause === 'seek') return
      sums.stalls += 1
      sums.stalledMs += note.ms
    },
    unstarted: (note) => startup.record(note.waitedMs),
    played: (note) => {
      sums.playedMs += note.ms
    },
    'gave-up': (note) => {
      sums.gaveUp += 1
      second.gaveUp += 1
      // Whoever left before the first picture waited at least this long for it.
      if (note.during === 'startup' && note.why === 'waited') startup.record(note.waitedMs)
    },
  }

  return {
    arrived() {
      sums.viewers += 1
      second.arrivals += 1
    },
    done({ kind, cell, latencyMs, error, bytes, dueMs, abandoned, cacheStatus }) {
      const tally = kinds.get(kind)
      const ofCell = cell === null ? null : cellOf(cell)
      for (const each of [tally, ofCell]) if (each) record(each, latencyMs, error)
      second.record(kind, latencyMs)
      second.requests += 1
      second.bytes += bytes
      sums.requests += 1
      if (abandoned) sums.abandoned += 1
      countDue(dueMs, error !== null)
      sums.bytes += bytes
      if (error !== null) {
        sums.errors += 1
        second.errors += 1
        errorsByReason[error] = (errorsByReason[error] ?? 0) + 1
        if (ofCell) ofCell.errorsNow += 1
      } else if (cacheStatus !== null && MEDIA_FILES.has(kind)) {
        sums.offloadKnown += 1
        if (isOffloaded(cacheStatus)) sums.offloadHits += 1
      }
    },
    moved(from, to) {
      if (from !== null) modes[from] -= 1
      modes[to] += 1
      if (to === 'starting') sums.plays += 1
      sums.viewersPeak = Math.max(sums.viewersPeak, present(modes))
    },
    note(note) {
      // Each handler is looked up by the type of the note it is called with.
      const handle = noteByType[note.type] as ((note: ViewerNote) => void) | undefined
      handle?.(note)
    },
    lag(ms) {
      lags.record(ms)
      second.lags.record(ms)
    },
    sample(atMs, around) {
      const errorsByCell: Record<string, number> = {}
      for (const [name, cell] of cells) {
        if (cell.errorsNow > 0) errorsByCell[name] = cell.errorsNow
        cell.errorsNow = 0
      }
      sums.requestsPerSecondPeak = Math.max(sums.requestsPerSecondPeak, second.requests)
      const { browsing, starting, playing, stalled } = modes
      const sample: Sample = {
        atMs,
        browsing,
        starting,
        playing,
        stalled,
        ...second.take(),
        ...around,
        errorsByCell,
      }
      samples.push(sample)
      return sample
    },
    samples: () => samples,
    due: () => due,
    totals: () => ({
      ...sums,
      errorsByReason: { ...errorsByReason },
      startups: startup.count(),
      startupP50Ms: startup.at(50),
      startupP95Ms: startup.at(95),
    }),
    requests: () =>
      [...kinds]
        .filter(([, tally]) => tally.count > 0)
        .map(([kind, { latencies, count, errors }]) => ({
          kind,
          count,
          errors,
          p50Ms: latencies.at(50),
          p99Ms: latencies.at(99),
          p999Ms: latencies.at(99.9),
          maxMs: latencies.maxMs(),
        })),
    cells: () =>
      [...cells]
        .sort(([left], [right]) => left.localeCompare(right))
        .map(([cell, { viewers, count, errors, latencies }]) => ({
          cell,
          viewers,
          requests: count,
          errors,
          p50Ms: latencies.at(50),
          p99Ms: latencies.at(99),
        })),
    lags: () => ({ p50Ms: lags.at(50), p99Ms: lags.at(99), maxMs: lags.maxMs() }),
  }
}

/** RFC 9211: served from the cache, or together with a fetch that somebody else had begun. */
export function isOffloaded(cacheStatus: string): boolean {
  // The last member is the cache nearest to the viewer.
  const nearest = cacheStatus.split(',').at(-1) ?? ''
  return /;\s*(?:hit|collapsed)\s*(?:;|$)/.test(nearest)
}

function createTally(): Tally {
  return { latencies: createLatencies(), count: 0, errors: 0 }
}

function record(tally: Tally, latencyMs: number, error: string | null): void {
  tally.latencies.record(latencyMs)
  tally.count += 1
  if (error !== null) tally.errors += 1
}

function present({ browsing, starting, playing, stalled }: Record<ViewerMode, number>): number {
  return browsing + starting + playing + stalled
}

/** What is counted anew each second. */
function createSecond() {
  const all = createLatencies(2)
  const home = createLatencies(2)
  const playback = createLatencies(2)
  const startup = createLatencies(2)
  const lags = createLatencies(2)
  const at = (latencies: Latencies, percentile: number): number | null =>
    latencies.count() === 0 ? null : latencies.at(percentile)
  const second = {
    startup,
    lags,
    arrivals: 0,
    requests: 0,
    errors: 0,
    bytes: 0,
    gaveUp: 0,
    record(kind: RequestKind, latencyMs: number) {
      all.record(latencyMs)
      if (kind === 'home') home.record(latencyMs)
      else if (kind === 'playback') playback.record(latencyMs)
    },
    take() {
      const { arrivals, requests, errors, bytes, gaveUp } = second
      const taken = {
        arrivals,
        requests,
        errors,
        bytes,
        gaveUp,
        p50Ms: at(all, 50),
        p99Ms: at(all, 99),
        homeP99Ms: at(home, 99),
        playbackP99Ms: at(playback, 99),
        startupP95Ms: at(startup, 95),
        lagP99Ms: lags.at(99),
      }
      for (const latencies of [all, home, playback, startup, lags]) latencies.reset()
      Object.assign(second, { arrivals: 0, requests: 0, errors: 0, bytes: 0, gaveUp: 0 })
      return taken
    },
  }
  return second
}
