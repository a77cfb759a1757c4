import { afterEach, expect, test } from 'bun:test'
import { systemClock } from '../../src/kernel/index.ts'
import {
  checkJournal,
  createJournal,
  createProbes,
  type ProbeLimits,
  type Violation,
} from '../../src/storm/probes/index.ts'
import type { JournalResult, ProbeResult } from '../../src/storm/report/report.ts'
import { eventually } from '../e2e/platform.ts'
import { playAndSignal } from './crowd.ts'
import { BROKEN_NAME, type Defect } from './defects.ts'
import { type DefectivePlatform, startDefectivePlatform } from './platform.ts'

const SEED = 3
const FILM_MS = 8_000
/** A platform, its films and what is looked for. */
const TEST_MS = 120_000
/** The real bounds but for how often is asked: a test has less time than a storm. */
const OFTEN: Partial<ProbeLimits> = {
  listedPerSecond: 50,
  signaturePerSecond: 50,
  resumePerSecond: 50,
  sacrificeMs: FILM_MS,
}

const platforms: DefectivePlatform[] = []
afterEach(async () => {
  for (const platform of platforms.splice(0)) await platform.stop()
})

async function start(
  defect: Defect | null,
  titles: readonly string[],
): Promise<{ platform: DefectivePlatform; titleIds: string[] }> {
  const platform = await startDefectivePlatform(defect)
  platforms.push(platform)
  const titleIds: string[] = []
  for (const title of titles) titleIds.push(await platform.publish(title, FILM_MS))
  return { platform, titleIds }
}

/** Probes until `enough`, which a test waits for in vain when a defect is not found. */
async function probe(
  platform: DefectivePlatform,
  options: { withdraws: boolean; enough: (violations: readonly Violation[], sinceMs: number) => boolean },
): Promise<{ results: ProbeResult[]; violations: Violation[] }> {
  const violations: Violation[] = []
  const probes = createProbes({
    stage: platform.stage,
    clock: systemClock,
    seed: SEED,
    scenario: {
      populations: [
        { weight: 1, country: 'US', tier: 'free', platform: 'web', lineBps: 1 },
        { weight: 1, country: 'DE', tier: 'free', platform: 'web', lineBps: 1 },
      ],
      operations: options.withdraws ? [{ kind: 'withdraw', atMs: 0 }] : [],
    },
    onViolation: (violation) => violations.push(violation),
    limits: OFTEN,
  })
  await probes.prepare()
  probes.start()
  if (options.withdraws) await probes.withdraw()
  const beganMs = performance.now()
  await eventually('the probes have seen enough', () => options.enough(violations, performance.now() - beganMs)).catch(
    () => {},
  )
  return { results: await probes.stop(), violations }
}

async function journal(platform: DefectivePlatform, titleId: string): Promise<JournalResult> {
  const { inside } = platform.stage
  if (!inside) throw new Error('the test stands inside the platform')
  const kept = createJournal()
  await kept.begin(inside.log)
  await playAndSignal({ watchUrl: platform.watchUrl, titleId, viewers: 4, playbacks: 50, batches: 5, note: kept.note })
  return await checkJournal({ journal: kept, log: inside.log, settleMs: 2_000 })
}

test(
  'the sound build breaks nothing: all is probed, all events are on the log',
  async () => {
    const { platform, titleIds } = await start(null, ['One film', 'Another film'])
    // Past the 5 s after which a withdrawn title must be gone.
    const { results, violations } = await probe(platform, { withdraws: true, enough: (_, sinceMs) => sinceMs > 8_000 })
    expect(violations).toEqual([])
    for (const { id, checks, notProbed } of results) expect([id, notProbed, checks > 5]).toEqual([id, null, true])
    const result = await journal(platform, titleIds[0] ?? '')
    expect(result).toEqual({ acknowledged: 1_200, lost: 0, doubled: 0, redelivered: 0, notChecked: null })
  },
  TEST_MS,
)

test(
  'a build that drops 1% of events is found by the journal',
  async () => {
    const { platform, titleIds } = await start('drops-events', ['One film'])
    const { acknowledged, lost, doubled, notChecked } = await journal(platform, titleIds[0] ?? '')
    // 200 sessions and 1,000 signals in one cell: two and ten.
    expect({ acknowledged, lost, doubled, notChecked }).toEqual({
      acknowledged: 1_200,
      lost: 12,
      doubled: 0,
      notChecked: null,
    })
  },
  TEST_MS,
)

const probed: [Defect, ProbeResult['id'], readonly string[], RegExp][] = [
  [
    'unsigned-segment',
    'signature-needed',
    ['One film'],
    /was served to a signature with one character changed \(200\)/,
  ],
  ['unplayable-title', 'listed-plays', ['One film', `A ${BROKEN_NAME} film`], /"A Broken film".*404 file-not-found/],
]
test.each(probed)(
  'the build %s is found by the probe %s, and by no other',
  async (defect, id, titles, what) => {
    const { platform } = await start(defect, titles)
    const { violations } = await probe(platform, {
      withdraws: false,
      enough: (found) => found.some((one) => what.test(one.what)),
    })
    expect(violations.map((one) => one.what).join('\n')).toMatch(what)
    expect(new Set(violations.map((one) => one.probe))).toEqual(new Set([id]))
  },
  TEST_MS,
)
