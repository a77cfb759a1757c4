import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_HABITS } from './habits.ts'
import type { Failure, ViewerRequest } from './protocol.ts'
import { type Evening, type EveningOptions, liveThrough, ORIGIN } from './testing/evening.ts'
import { createSoundServer, type Film } from './testing/film.ts'
import type { Reply, Server } from './testing/server.ts'

/** What must hold whatever the servers answer: thousands of evenings with answers, failures and delays at random. */

const RUNS = { numRuns: 1_500 }

const failure: fc.Arbitrary<Failure> = fc.oneof(
  fc.constant<Failure>({ kind: 'timeout' }),
  fc.constant<Failure>({ kind: 'connection', why: 'reset' }),
  fc.constant<Failure>({ kind: 'unreadable', why: 'half a body' }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constantFrom(500, 503, 503, 503, 429, 403, 404, 410),
    code: fc.constantFrom(null, 'token-expired'),
    retryAfterMs: fc.constantFrom(null, 0, 1_000, 60_000),
  }),
)

type Whim = { readonly share: number; readonly failure: Failure | null }
/** Mostly good, so that viewers come as far as a film. */
const whim: fc.Arbitrary<Whim> = fc.record({
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  failure: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: failure }),
})

const film: fc.Arbitrary<Film> = fc.record({
  durationMs: fc.integer({ min: 1, max: 40_000 }),
  segmentMs: fc.integer({ min: 300, max: 6_000 }),
  hasAudio: fc.boolean(),
  bitratesBps: fc.constantFrom([400_000], [400_000, 2_000_000], [5_000_000, 300_000, 1_000_000]),
})

/** Answers after a share of `slowestMs`, and never later than the request's own timeout. */
function createWhimsicalServer(sound: Server, whims: readonly Whim[], slowestMs: number): Server {
  let asked = 0
  return (request: ViewerRequest, nowMs): Reply => {
    const { share, failure: failed } = whims[asked % whims.length] ?? { share: 0, failure: null }
    asked += 1
    const afterMs = Math.min(request.timeoutMs, share ** 3 * slowestMs)
    if (failed === null) return { ...sound(request, nowMs), afterMs }
    return { ok: false, afterMs: failed.kind === 'timeout' ? request.timeoutMs : afterMs, failure: failed }
  }
}

const evenings = fc
  .record({
    seed: fc.integer(),
    index: fc.nat(100_000),
    whims: fc.array(whim, { minLength: 1, maxLength: 40 }),
    slowestMs: fc.constantFrom(0, 20, 300, 2_000, 30_000),
    film,
    resumeMs: fc.constantFrom(0, 0, 3_000, 1_000_000),
    lineBps: fc.constantFrom(300_000, 3_000_000, 1e9),
    startBufferMs: fc.constantFrom(0, 1_000, 8_000),
    aheadMs: fc.constantFrom(500, 10_000),
    seeksPerMinute: fc.constantFrom(0, 2, 30),
    watchToEndShare: fc.constantFrom(0, 0.5, 1),
    retryMs: fc.constantFrom([500, 1_000, 2_000], [0], []),
    endsMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
    endless: fc.boolean(),
  })
  .map((drawn) => ({ drawn, options: toOptions(drawn) }))

function toOptions(drawn: {
  seed: number
  index: number
  whims: readonly Whim[]
  slowestMs: number
  film: Film
  resumeMs: number
  lineBps: number
  startBufferMs: number
  aheadMs: number
  seeksPerMinute: number
  watchToEndShare: number
  retryMs: readonly number[]
  endsMs: number | null
  endless: boolean
}): () => EveningOptions {
  const { seed, index, whims, slowestMs, lineBps, startBufferMs, aheadMs, seeksPerMinute, watchToEndShare } = drawn
  const premiere = drawn.endsMs === null ? {} : { premiereEnded: { toldMs: drawn.endsMs, atMs: drawn.endsMs + 500 } }
  // Servers have a memory, so each evening gets its own.
  return () => ({
    origin: { seed, index, population: { ...ORIGIN.population, lineBps } },
    habits: {
      ...DEFAULT_HABITS,
      patience: drawn.endless ? [] : DEFAULT_HABITS.patience,
      seeksPerMinute,
      watchToEndShare,
      player: { startBufferMs, aheadMs, retryMs: drawn.retryMs },
    },
    server: createWhimsicalServer(createSoundServer(drawn.film, { resumeMs: drawn.resumeMs }), whims, slowestMs),
    ...premiere,
  })
}

/** The longest an evening may be: every wait at the end of its patience, every request at its timeout. */
function longestMs({ state, notes }: Evening, film: Film): number {
  const { patienceMs } = state.persona
  const stalls = notes.filter(({ type }) => type === 'stalled').length
  const hesitationMs = DEFAULT_HABITS.hesitationMs[1]
  const pages = 2 + 2 * 4 + 1
  const browsingMs = pages * (patienceMs + hesitationMs) + 3 * 10_000
  const lastRequestsMs = 25_000 + 10_000 + 10_000
  return browsingMs + patienceMs + film.durationMs + 1 + stalls * patienceMs + lastRequestsMs
}

test('every evening ends, within a bound, and nothing happens that must not', () => {
  fc.assert(
    fc.property(evenings, ({ drawn, options }) => {
      const evening = liveThrough({ ...options(), untilMs: 1e9 })
      expect(evening.violations).toEqual([])
      expect(evening.leftMs).not.toBeNull()
      expect(evening.leftMs ?? 0).toBeLessThanOrEqual(longestMs(evening, drawn.film))
    }),
    RUNS,
  )
})

test('between the first picture and the last, each moment is played or stalled', () => {
  let watched = 0
  fc.assert(
    fc.property(evenings, ({ options }) => {
      const { notes } = liveThrough({ ...options(), untilMs: 1e9 })
      const beginMs = notes.find(({ type }) => type === 'started')?.nowMs
      if (beginMs === undefined) return
      watched += 1
      const over = notes.find(
        (note) => note.nowMs >= beginMs && note.type === 'mode' && (note.mode === 'browsing' || note.mode === 'gone'),
      )
      const toldMs = notes.reduce((sum, note) => {
        return sum + (note.type === 'played' || note.type === 'stalled' ? note.ms : 0)
      }, 0)
      expect(Math.abs(toldMs - ((over?.nowMs ?? 0) - beginMs))).toBeLessThan(1)
    }),
    RUNS,
  )
  // Otherwise the property says nothing.
  expect(watched).toBeGreaterThan(RUNS.numRuns / 4)
})

test('the same seed and the same events give the same evening', () => {
  fc.assert(
    fc.property(evenings, ({ options }) => {
      expect(liveThrough({ ...options(), untilMs: 1e9 }).log).toEqual(liveThrough({ ...options(), untilMs: 1e9 }).log)
    }),
    { numRuns: 300 },
  )
})

test('alarms that ring late change nothing of this', () => {
  fc.assert(
    fc.property(evenings, fc.array(fc.nat(400), { minLength: 1, maxLength: 10 }), ({ options }, lags) => {
      let rung = 0
      const wakeLagMs = (): number => lags[rung++ % lags.length] ?? 0
      const evening = liveThrough({ ...options(), wakeLagMs, untilMs: 1e9 })
      expect(evening.violations).toEqual([])
      expect(evening.leftMs).not.toBeNull()
    }),
    RUNS,
  )
})
