import { createAsk, createCrowd, createRecorder } from '../src/storm/crowd/index.ts'
import { DEFAULT_POPULATIONS, STORM_DEFAULTS } from '../src/storm/define.ts'
import { createConnection, createPlaylistMemo } from '../src/storm/http/index.ts'
import { createJournal } from '../src/storm/probes/index.ts'
import { runClockwork } from '../src/storm/run/clockwork.ts'
import { raisePriority } from '../src/storm/run/priority.ts'
import { loopbackTarget } from '../src/storm/target.ts'
import { DEFAULT_HABITS } from '../src/storm/viewer/index.ts'

/**
 * Storm's own generator, as it is in a storm, against the static responder: a number of viewers arrive evenly, and all
 * play until the end. What they ask for follows from their buffers and the length of a segment, not from how fast the
 * responder is. Run as a process of its own: `bun bench/storm-generator.ts '<options as JSON>'`; the last line of its output is the result.
 */
export type GeneratorOptions = {
  readonly port: number
  readonly viewers: number
  readonly rampMs: number
  /** What a player keeps buffered. */
  readonly aheadMs: number
  /** The last part, in which all are there; only this is measured. */
  readonly measureMs: number
}

export type GeneratorResult = {
  readonly requestsPerSecond: number
  readonly megabytesPerSecond: number
  readonly viewersPlaying: number
  readonly errors: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lagP99Ms: number
  readonly cpu: number
  /** Of it, in the kernel: sockets. */
  readonly cpuSystem: number
  /** Of the whole process, at its highest. */
  readonly rssBytesMax: number
}

/** Between the last arrival and the measurement: startups are over by then. */
const SETTLE_MS = 4_000
const SEED = 1

export async function runGenerator(options: GeneratorOptions): Promise<GeneratorResult> {
  const priority = raisePriority()
  try {
    return await generate(options)
  } finally {
    priority.restore()
  }
}

async function generate(options: GeneratorOptions): Promise<GeneratorResult> {
  const { viewers, rampMs, measureMs } = options
  const target = loopbackTarget(options.port)
  const playlists = createPlaylistMemo({ entriesMax: 64 })
  const journal = createJournal()
  let recorder = createRecorder()
  const began = performance.now()
  const nowMs = (): number => performance.now() - began
  const crowd = createCrowd({
    scenario: {
      populations: DEFAULT_POPULATIONS,
      titles: STORM_DEFAULTS.titles,
      habits: {
        ...DEFAULT_HABITS,
        browseOnlyShare: 0,
        watchToEndShare: 1,
        seeksPerMinute: 0,
        hesitationMs: [200, 500],
        player: { ...DEFAULT_HABITS.player, aheadMs: options.aheadMs },
      },
      bounds: { viewersMax: viewers, requestsMax: Number.MAX_SAFE_INTEGER, durationMsMax: Number.MAX_SAFE_INTEGER },
    },
    seed: SEED,
    arrivalsMs: Float64Array.from({ length: viewers }, (_, index) => (index * rampMs) / viewers),
    premiereId: null,
    connect: () =>
      createAsk({
        connection: createConnection({ target }),
        target,
        playlists,
        hidden: new Set(),
      }),
    // The parts that count are taken by whoever holds the recorder now; the modes go on from where they were.
    recorder: forwardTo(() => recorder),
    onNote: journal.note,
    onBound: (bound) => {
      throw new Error(`the crowd reached its bound ${bound}`)
    },
    nowMs,
    random: Math.random,
  })
  const stop = new AbortController().signal
  let rssBytesMax = 0
  const watch = (): void => {
    rssBytesMax = Math.max(rssBytesMax, process.memoryUsage.rss())
  }
  const run = (durationMs: number): Promise<void> =>
    runClockwork({ durationMs, nowMs, stop, onTick: crowd.tick, onSecond: watch })
  await run(rampMs + SETTLE_MS)
  const before = recorder
  recorder = createRecorder()
  const playing = before.sample(0, { cpu: 0, rssBytes: 0, rolesDown: null })
  const cpu = process.cpuUsage()
  const fromMs = nowMs()
  await run(rampMs + SETTLE_MS + measureMs)
  const elapsedMs = nowMs() - fromMs
  const used = process.cpuUsage(cpu)
  const { requests, bytes, errors } = recorder.totals()
  const second = recorder.sample(0, { cpu: 0, rssBytes: 0, rolesDown: null })
  return {
    requestsPerSecond: (requests * 1_000) / elapsedMs,
    megabytesPerSecond: bytes / 1_000 / elapsedMs,
    viewersPlaying: playing.playing,
    errors: errors + before.totals().errors,
    p50Ms: second.p50Ms ?? 0,
    p99Ms: second.p99Ms ?? 0,
    lagP99Ms: recorder.lags().p99Ms,
    cpu: (used.user + used.system) / 1_000 / elapsedMs,
    cpuSystem: used.system / 1_000 / elapsedMs,
    rssBytesMax,
  }
}

/** A recorder whose figures can be begun anew while the crowd goes on. */
function forwardTo(current: () => ReturnType<typeof createRecorder>): ReturnType<typeof createRecorder> {
  const first = current()
  return {
    ...first,
    arrived: () => current().arrived(),
    done: (outcome) => current().done(outcome),
    moved: (from, to) => current().moved(from, to),
    note: (note) => current().note(note),
    lag: (ms) => current().lag(ms),
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as GeneratorOptions
  console.log(JSON.stringify(await runGenerator(options)))
  process.exit(0)
}
