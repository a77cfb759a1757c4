import { silentLogger } from '../../kernel/index.ts'
import { checkTarget, defineStorm, type StormOptions, type StormReport, spawnResponder } from '../../storm/index.ts'
import { VERSION } from '../configuration.ts'

/** The last second of every ten, nothing is answered. */
const STALL = { stallEveryMs: 10_000, stallForMs: 1_000 }
const FILM = { titles: 3, segmentMs: 2_000, filmMs: 60_000, segmentBytes: 1_000 }
/** Two whole periods, so that it does not matter where in one it begins. */
const DURATION_MS = 2 * STALL.stallEveryMs
const PER_SECOND = 100
const TOLERANCE = 0.05

/**
 * A tenth of the requests falls into a stall and waits evenly between 0 and its length; so one in a hundred waits longer
 * than nine tenths of it. A tool that holds back while the server stalls would find a p99 of next to nothing.
 */
export const EXPECTED_P99_MS: number = STALL.stallForMs - STALL.stallEveryMs / 100

export type SelfTestResult = {
  readonly passed: boolean
  readonly expectedP99Ms: number
  readonly measuredP99Ms: number | null
  readonly lagP99Ms: number
  /** Why it does not count; empty when it does. */
  readonly invalidBecause: readonly string[]
}

/** A storm on a server whose p99 is known; takes 20 s. */
export async function runSelfTest(options: {
  runStorm: (options: StormOptions) => Promise<StormReport>
  seed: number
  interrupt: AbortSignal
}): Promise<SelfTestResult> {
  const responder = await spawnResponder({ ...FILM, ...STALL })
  try {
    const url = `http://127.0.0.1:${responder.port}`
    const report = await options.runStorm({
      scenario: SCENARIO,
      stage: { watchUrl: url, premiereId: null, startedByStorm: true, version: null, inside: null, operator: null },
      target: await checkTarget(url),
      seed: options.seed,
      toolVersion: VERSION,
      repeat: 'npx tentpole storm --self-test',
      logger: silentLogger,
      interrupt: options.interrupt,
      even: true,
    })
    return judgeSelfTest(report)
  } finally {
    await responder.stop()
  }
}

/** Only the first request of each viewer is due at its arrival, whatever the server does: those are judged. */
export function judgeSelfTest(report: Pick<StormReport, 'requests' | 'invalidBecause' | 'generator'>): SelfTestResult {
  const { invalidBecause, generator } = report
  const measuredP99Ms = report.requests.find(({ kind }) => kind === 'session')?.p99Ms ?? null
  const isNear = measuredP99Ms !== null && Math.abs(measuredP99Ms - EXPECTED_P99_MS) <= TOLERANCE * EXPECTED_P99_MS
  return {
    passed: isNear && invalidBecause.length === 0,
    expectedP99Ms: EXPECTED_P99_MS,
    measuredP99Ms,
    lagP99Ms: generator.lagP99Ms,
    invalidBecause,
  }
}

const SCENARIO = defineStorm({
  name: 'self-test',
  description: 'Viewers who look at the home page of a server that answers nothing for one second in ten',
  baselinePerSecond: PER_SECOND,
  phases: [{ name: 'even arrivals', durationMs: DURATION_MS, arrivals: 1 }],
  habits: {
    browseOnlyShare: 1,
    hesitationMs: [0, 0],
    // Nobody may leave before the answer comes.
    patience: [[60_000, 0]],
  },
  objectives: {},
})
