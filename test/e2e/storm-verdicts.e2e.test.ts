import { afterEach, expect, test } from 'bun:test'
import { silentLogger } from '../../src/kernel/index.ts'
import { checkTarget, defineStorm, runStorm, type Stage, type StormReport } from '../../src/storm/index.ts'
import type { ProbeResult } from '../../src/storm/report/report.ts'
import type { Scenario } from '../../src/storm/scenario.ts'
import { BROKEN_NAME, type Defect } from '../storm/defects.ts'
import { type DefectivePlatform, startDefectivePlatform } from '../storm/platform.ts'
import { scaledScenario } from '../storm/scaled.ts'

const FILM_MS = 8_000
const TEST_MS = 120_000
const SEED = 11

const platforms: DefectivePlatform[] = []
afterEach(async () => {
  for (const platform of platforms.splice(0)) await platform.stop()
})

/** A small evening: enough of each event for one in a hundred to be missed. */
const EVENING: Scenario = defineStorm({
  name: 'small-evening',
  baselinePerSecond: 10,
  phases: [{ name: 'evening', durationMs: 14_000, arrivals: 1 }],
  populations: [{ weight: 1, country: 'DE', tier: 'standard', platform: 'web', lineBps: 20_000_000 }],
  habits: { hesitationMs: [100, 400], browseOnlyShare: 0, seeksPerMinute: 0 },
  operations: [{ kind: 'withdraw', atMs: 3_000 }],
  objectives: { errorRatioMax: 0, eventsLostMax: 0, eventsDoubledMax: 0, violationsMax: 0 },
})

async function blow(stage: Stage, scenario: Scenario): Promise<StormReport> {
  return await runStorm({
    scenario,
    stage,
    target: await checkTarget(stage.watchUrl),
    seed: SEED,
    toolVersion: '0.0.0',
    repeat: '',
    logger: silentLogger,
  })
}

const missed = (report: StormReport): string[] =>
  report.objectives.filter(({ outcome }) => outcome !== 'met').map(({ id, detail }) => `${id}: ${detail}`)
/** A test shares the machine with others; whether the generator was late is not what is tested here. */
const invalidBecause = (report: StormReport): string[] =>
  report.invalidBecause.filter((reason) => !reason.includes('generator'))

async function start(defect: Defect | null, workers = 1): Promise<DefectivePlatform> {
  const media = { ladder: [{ height: 144, bitrateBps: 100_000 }], workers }
  const platform = await startDefectivePlatform(defect, { media })
  platforms.push(platform)
  return platform
}

test(
  'a sound build meets every objective',
  async () => {
    const platform = await start(null)
    for (const name of ['One film', 'Another film']) await platform.publish(name, FILM_MS)
    const report = await blow(platform.stage, EVENING)
    expect(missed(report)).toEqual([])
    expect(invalidBecause(report)).toEqual([])
    expect(report.totals.viewers).toBeGreaterThan(100)
    expect(report.totals.started).toBeGreaterThan(80)
    for (const probe of report.probes)
      expect([probe.id, probe.notProbed, probe.checks > 0]).toEqual([probe.id, null, true])
  },
  TEST_MS,
)

/** Which objective it misses, what the verdict says of it, and the one probe that finds it. */
const defects: readonly (readonly [Defect, string, RegExp, ProbeResult['id'] | null, RegExp])[] = [
  ['drops-events', 'eventsLostMax', /[1-9]\d* lost/, null, /^$/],
  [
    'unsigned-segment',
    'violationsMax',
    /violation/,
    'signature-needed',
    /was served to a signature with one character changed \(200\)/,
  ],
  ['unplayable-title', 'violationsMax', /violation/, 'listed-plays', /"A Broken film".*404 file-not-found/],
]
for (const [defect, objective, detail, probe, what] of defects)
  test(
    `the build ${defect} turns the verdict red`,
    async () => {
      const platform = await start(defect)
      for (const name of ['One film', `A ${BROKEN_NAME} film`]) await platform.publish(name, FILM_MS)
      const report = await blow(platform.stage, EVENING)
      expect(report.verdict).not.toBe('passed')
      expect(missed(report).join('\n')).toMatch(new RegExp(`^${objective}: .*${detail.source}`, 'm'))
      const found = report.probes.filter(({ violations }) => violations.length > 0)
      expect(found.map(({ id }) => id)).toEqual(probe === null ? [] : [probe])
      expect(found.flatMap(({ violations }) => violations.map((one) => one.what)).join('\n')).toMatch(what)
    },
    TEST_MS,
  )

/** A fifth of the built-in time, one after the other on one platform. */
test(
  'cell, control, store and workers are struck, the platform recovers, and the timeline shows both',
  async () => {
    const platform = await start(null, 2)
    for (const name of ['One film', 'Another film']) await platform.publish(name, FILM_MS)
    for (const name of ['cell-down', 'control-down', 'store-down', 'worker-carnage']) {
      const scenario = scaledScenario(name, 0.2)
      const report = await blow(platform.stage, scenario)
      const promised = report.objectives.filter(({ unit }) => unit === 'count')
      expect([name, promised.filter(({ outcome }) => outcome === 'missed').map(({ detail: said }) => said)]).toEqual([
        name,
        [],
      ])
      for (const fault of report.faults) {
        expect([fault.label, fault.failure]).toEqual([fault.label, null])
        expect([fault.label, fault.recoveredAfterMs !== null]).toEqual([fault.label, true])
        const shown = report.timeline.filter((entry) => entry.label.includes(fault.label))
        expect(shown.some((entry) => entry.kind === 'fault' && entry.label.endsWith('struck'))).toBe(true)
        expect(shown.some((entry) => entry.kind === 'recovered')).toBe(true)
      }
      expect([name, report.series.some(({ rolesDown }) => (rolesDown?.length ?? 0) > 0)]).toEqual([name, true])
      expect(invalidBecause(report)).toEqual([])
    }
  },
  2 * TEST_MS,
)
