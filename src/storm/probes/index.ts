import { type Clock, describeError } from '../../kernel/index.ts'
import { createRandom, seedOf } from '../random.ts'
import type { ProbeResult } from '../report/report.ts'
import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import type { Target } from '../target.ts'
import { type Client, createClient, type Who } from './client.ts'
import { createFindings, type Violation } from './findings.ts'
import { createInsideKnowledge } from './inside-knowledge.ts'
import { PROBE_LIMITS, type ProbeLimits } from './limits.ts'
import { createListedPlays } from './listed-plays.ts'
import type { Probe, ProbeParts } from './probe.ts'
import { createResumeExact } from './resume-exact.ts'
import { createPace, createSend, type Send } from './send.ts'
import { createSendRaw } from './send-raw.ts'
import { createSignatureNeeded } from './signature-needed.ts'
import { createWithdrawnStops } from './withdrawn-stops.ts'

export type { Violation } from './findings.ts'
export { checkJournal, createJournal, type Journal } from './journal.ts'
export { PROBE_LIMITS, type ProbeLimits } from './limits.ts'

/** DESIGN.md's invariants that can be seen from outside, watched while the storm blows. */
export type Probes = {
  /**
   * Before the storm: publishes what the withdraw operation will withdraw, within a minute and until `interrupt` is aborted. Does not
   * reject; the result says what was in the way.
   */
  prepare(interrupt?: AbortSignal): Promise<void>
  /** Titles that are the probes' own. */
  titles(): ReadonlySet<string>
  /** The storm's begin: times count from here. */
  start(): void
  /** The withdraw operation. Resolves when it is acknowledged, rejects when it is not; watched until `stop`. */
  withdraw(): Promise<void>
  /** Ends every request and gives one result for each invariant. */
  stop(): Promise<ProbeResult[]>
}

/** Countries that a configuration is likely to give to different cells, beside those of the scenario. */
const COUNTRIES = ['US', 'DE', 'BR', 'IN', 'JP'] as const
/** Far from the viewers' own numbers, so that none of them shares its chance with a probe. */
const SEED_INDEX = 0x7f00_0000

export function createProbes(options: {
  stage: Stage
  /** The platform itself, not a fault proxy in front of it: a promise is not broken because a line is. */
  target: Target
  clock: Clock
  seed: number
  scenario: Pick<Scenario, 'populations' | 'operations'>
  onViolation: (violation: Violation) => void
  limits?: Partial<ProbeLimits>
}): Probes {
  const { stage, target, clock, scenario } = options
  const limits = { ...PROBE_LIMITS, ...options.limits }
  const stopping = new AbortController()
  const stopped = stopping.signal
  let beganMs = clock.elapsedMs()
  let running: readonly Promise<void>[] = []
  const nowMs = (): number => clock.elapsedMs() - beganMs
  const people = listPeople(scenario.populations)

  const sendAt = (turn: () => Promise<void>): Send =>
    createSend({ target, answerBytesMax: limits.answerBytesMax, turn, stopped, nowMs })
  const partsOf = (probe: ProbeResult['id'], index: number, client: Client): ProbeParts => ({
    client,
    findings: createFindings({
      probe,
      violationsMax: limits.violationsMax,
      nowMs,
      onViolation: options.onViolation,
    }),
    limits,
    people,
    random: createRandom(seedOf(options.seed, SEED_INDEX + index)),
    nowMs,
    stopped,
  })
  const clientOf = (send: Send): Client => createClient({ send, limits })

  const signatureTurn = createPace(limits.signaturePerSecond, stopped)
  const freely = sendAt(async () => {})
  const listed = createListedPlays(
    partsOf('listed-plays', 0, clientOf(sendAt(createPace(limits.listedPerSecond, stopped)))),
  )
  const signature = createSignatureNeeded({
    ...partsOf('signature-needed', 1, clientOf(sendAt(signatureTurn))),
    sendRaw: createSendRaw({
      target,
      timeoutMs: limits.apiTimeoutMs,
      answerBytesMax: RAW_BYTES_MAX,
      turn: signatureTurn,
      stopped,
      nowMs,
    }),
    inside: stage.inside && createInsideKnowledge(stage.inside.layout),
  })
  const withdrawn = createWithdrawnStops({
    ...partsOf('withdrawn-stops', 2, clientOf(freely)),
    send: freely,
    operator: stage.operator,
    planned: scenario.operations.some(({ kind }) => kind === 'withdraw'),
  })
  const resume = createResumeExact(
    partsOf('resume-exact', 3, clientOf(sendAt(createPace(limits.resumePerSecond, stopped)))),
  )
  const probes: readonly Probe[] = [listed, signature, withdrawn, resume]
  /** A defect of a probe's own ends that probe, not the storm. */
  const broken = new Map<Probe, string>()
  const run = (probe: Probe): Promise<void> =>
    probe.run().catch((error: unknown) => void broken.set(probe, `the probe failed: ${describeError(error)}`))

  return {
    prepare: withdrawn.prepare,
    titles: () => new Set([withdrawn.titleId() ?? []].flat()),
    start() {
      beganMs = clock.elapsedMs()
      running = probes.map(run)
    },
    withdraw: withdrawn.withdraw,
    async stop() {
      stopping.abort()
      await Promise.all(running)
      return probes.map((probe) => {
        const result = probe.result()
        return { ...result, notProbed: broken.get(probe) ?? result.notProbed }
      })
    },
  }
}

/** Whether a stolen file is media shows in its first bytes. */
const RAW_BYTES_MAX = 64 * 1024

/** Whoever the scenario has, and viewers of other countries: home is asked in every cell that one of them belongs to. */
function listPeople(populations: Scenario['populations']): readonly Who[] {
  const [first] = populations
  const others = COUNTRIES.map(
    (country): Who => ({ country, tier: first?.tier ?? 'standard', platform: first?.platform ?? 'web' }),
  )
  const all = [...populations, ...others].map(({ country, tier, platform }): Who => ({ country, tier, platform }))
  return [...new Map(all.map((who) => [Object.values(who).join(' '), who])).values()]
}
