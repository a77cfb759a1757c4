import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../src/cli/configuration.ts'
import { openOwnPlatform } from '../src/cli/storm/own-platform.ts'
import { describeError, silentLogger } from '../src/kernel/index.ts'
import {
  checkTarget,
  defineStorm,
  type Inside,
  type ListedTitle,
  type Operator,
  runStorm,
  SCENARIOS,
  type Scenario,
  type Stage,
  type StormReport,
} from '../src/storm/index.ts'
import { eventually } from '../test/e2e/platform.ts'
import { addUp, bytesOffloadOf, createOffloadTally, type OffloadFigures, offloadOf } from './offload-tally.ts'
import { createVisitor, playTitle, type Visitor } from './play-title.ts'
import type { Bench, BenchMissing, BenchOptions, BenchResult, BenchRow } from './report.ts'
import { type Seeded, seedCatalogue } from './seed-catalogue.ts'

export type OffloadLoad = {
  /** Of the whole catalogue, the premiere and the films that the others are copied from included. */
  readonly titles: number
  /** Films made and published to be copied, by their length, each another picture. */
  readonly filmsMs: readonly number[]
  /** What goes on before the premiere, and fills the edge's memory as evenings do. Nobody watches the premiere in it. */
  readonly evening: Scenario
  readonly premiere: Scenario
  /** Titles drawn at random that must play in each cell in the end. */
  readonly sample: number
  /** Once more, with viewers who choose from the whole catalogue. */
  readonly anyTitle: boolean
}

const SEED = 7
/** A country of each cell of the default platform. */
const COUNTRIES = ['US', 'DE'] as const
const ASKED_AT_ONCE = 8
/** Without these a figure would be of a platform that failed its viewers. Being slow costs no offload. */
const CHECKS: readonly string[] = [
  'errorRatioMax',
  'viewersLostRatioMax',
  'eventsLostMax',
  'eventsDoubledMax',
  'violationsMax',
]

/** How much of what viewers fetch costs the origin nothing: storm's premiere on a catalogue of 1,000 titles. */
export const runOffload: Bench = ({ full, say }) =>
  measureOffload(
    {
      titles: 1_000,
      filmsMs: [12_000, 14_000, 18_000],
      evening: eveningOf(20_000),
      premiere: premiereOf(SCENARIOS),
      sample: 20,
      anyTitle: full,
    },
    say,
  )

/** Ten times the baseline for that long. */
export function eveningOf(durationMs: number): Scenario {
  return defineStorm({
    name: 'evening',
    description: 'An ordinary evening: all there is but the premiere',
    baselinePerSecond: 2,
    phases: [{ name: 'evening', durationMs, arrivals: 10 }],
    titles: { premiereShare: 0 },
  })
}

function premiereOf(scenarios: readonly Scenario[]): Scenario {
  const found = scenarios.find(({ name }) => name === 'premiere')
  if (!found) throw new Error('expected storm to have a scenario called premiere, it has none')
  return found
}

export async function measureOffload(load: OffloadLoad, say: BenchOptions['say']): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  try {
    const needs = { ...load.premiere.platform, titles: 1 }
    const { stage, close } = await openOwnPlatform({
      scenario: { platform: needs, operations: [] },
      logFile: join(directory, 'platform.log'),
      signal: new AbortController().signal,
      say,
    })
    try {
      return await measureOn(stage, load, say)
    } finally {
      await close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What the measurement is made on: a stage on which everything is within reach. */
type Bed = {
  readonly stage: Stage
  readonly load: OffloadLoad
  readonly seeded: Seeded
  readonly say: BenchOptions['say']
}

async function measureOn(stage: Stage, load: OffloadLoad, say: BenchOptions['say']): Promise<BenchResult> {
  const { inside, operator } = stage
  if (!inside || !operator) throw new Error('expected a platform of our own within reach, got one from outside')
  const seeded = await makeCatalogue({ stage, inside, operator, load, say })
  const bed: Bed = { stage, load, seeded, say }
  // What was made for the catalogue is not to be swept up while viewers fall due.
  Bun.gc(true)
  preferGenerator()
  const { rows, missing } = await blow(bed)
  try {
    await playSample(bed)
  } catch (error) {
    // A catalogue that does not play is none that anything was measured on.
    const why = describeError(error)
    return { rows: [], missing: [...rows, ...missing].map(({ metric }) => ({ metric, why })) }
  }
  return { rows, missing }
}

/**
 * Storm measures from within this process, on the cores that the platform fills at the height of a premiere: as near as one
 * machine comes to a core of its own, its thread runs before all others once something is due. Where that is not allowed, it does
 * without; whether the run counts is storm's to say either way.
 */
function preferGenerator(): void {
  Bun.spawnSync(['chrt', '--rr', '--pid', '1', String(process.pid)], { stdout: 'ignore', stderr: 'ignore' })
}

async function makeCatalogue(options: {
  readonly stage: Stage
  readonly inside: Inside
  readonly operator: Operator
  readonly load: OffloadLoad
  readonly say: BenchOptions['say']
}): Promise<Seeded> {
  const { stage, inside, operator, load, say } = options
  const signal = new AbortController().signal
  say(`publishing films to copy: ${load.filmsMs.length}`)
  await Promise.all(load.filmsMs.map((ms, at) => operator.publish(`Film ${at + 1}`, ms, signal)))
  // Beside the copies: the premiere, the one title published with it, and these films.
  const copies = load.titles - 2 - load.filmsMs.length
  say(`copying them ${copies} times`)
  const objectsDirectory = inside.layout.objectsDirectory
  const seeded = await seedCatalogue({ log: inside.log, objectsDirectory, copies, except: stage.premiereId })
  say(`${Math.round(seeded.bytes / 1e6)} MB of segments; waiting until every cell lists all of them`)
  for (const country of COUNTRIES) await waitUntilListed(await createVisitor(stage.watchUrl, country), seeded.ids)
  return seeded
}

async function waitUntilListed(visitor: Visitor, ids: readonly string[]): Promise<void> {
  const left = [...ids]
  await eventually(`cell ${visitor.cell} to list ${ids.length} titles`, async () => {
    while (left.length > 0) {
      const asked = left.slice(0, ASKED_AT_ONCE)
      const answers = await Promise.all(asked.map((id) => visitor.get(`/v1/titles/${id}`)))
      await Promise.all(answers.map((answer) => answer.arrayBuffer()))
      if (answers.some((answer) => !answer.ok)) return false
      left.splice(0, asked.length)
    }
    return true
  })
}

/** The evening, the premiere, and the premiere with the whole catalogue to choose from if that is wanted. */
async function blow(bed: Bed): Promise<{ rows: BenchRow[]; missing: BenchMissing[] }> {
  const { load, seeded, stage } = bed
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const tally = createOffloadTally()
  const storm = async (scenario: Scenario, choices?: readonly ListedTitle[]): Promise<Blown> => {
    bed.say(`storm: ${scenario.name}`)
    const report = await runStorm({
      scenario,
      stage,
      target: await checkTarget(stage.watchUrl),
      seed: SEED,
      toolVersion: VERSION,
      repeat: 'npm run bench -- offload',
      logger: silentLogger,
      onAnswer: tally.note,
      ...(choices ? { choices } : {}),
    })
    const figures = tally.take()
    bed.say(`${scenario.name}: ${describeFigures(figures)}`)
    return { report, figures }
  }
  const judge = (metric: string, blown: Blown, detail: Readonly<Record<string, number>>): void => {
    const why = whyNot(blown.report)
    const row = toRow(metric, load, blown, { 'catalogue-mb': seeded.bytes / 1e6, ...detail })
    if (why === null) rows.push(row)
    else missing.push({ metric, why: `${why}; it would have been ${row.ours.toFixed(4)}` })
  }
  const evening = await storm(load.evening)
  const premiere = await storm(load.premiere)
  judge('offload', premiere, {
    evening: offloadOf(evening.figures),
    'evening-forwarded': evening.figures.forwarded,
    'with-evening': offloadOf(addUp(evening.figures, premiere.figures)),
  })
  if (load.anyTitle) {
    const all = [...(stage.premiereId ? [stage.premiereId] : []), ...seeded.ids]
    const choices = all.map((id) => ({ id, posterUrl: `/art/${id}/poster.jpg` }))
    judge('offload-any-title', await storm(load.premiere, choices), {})
  }
  return { rows, missing }
}

type Blown = { readonly report: StormReport; readonly figures: OffloadFigures }

/** Why the run gives no figure; null when it does. */
function whyNot({ verdict, invalidBecause, objectives }: StormReport): string | null {
  if (verdict === 'invalid') return `the storm was invalid: ${invalidBecause.join('; ')}`
  const failed = objectives.filter(({ id, outcome }) => CHECKS.includes(id) && outcome !== 'met')
  return failed.length === 0 ? null : failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
}

function toRow(metric: string, load: OffloadLoad, { report, figures }: Blown, detail: BenchRow['detail']): BenchRow {
  const { answers, forwarded, filesNew } = figures
  return {
    metric,
    ours: offloadOf(figures),
    unit: 'ratio',
    detail: {
      'by-bytes': bytesOffloadOf(figures),
      answers,
      forwarded,
      // What a cache that had only what was asked for before could not have had.
      'never-asked-before': filesNew,
      'at-best': offloadOf({ answers, forwarded: filesNew }),
      ...detail,
      ...figures.byOutcome,
      titles: load.titles,
      'titles-played': figures.titles,
      'premiere-share': load.premiere.titles.premiereShare,
      'zipf-exponent': load.premiere.titles.zipfExponent,
      viewers: report.totals.viewers,
      'viewers-peak': report.totals.viewersPeak,
      requests: report.totals.requests,
      errors: report.totals.errors,
      'lag-p99-ms': report.generator.lagP99Ms,
    },
  }
}

function describeFigures(figures: OffloadFigures): string {
  const parts = Object.entries(figures.byOutcome).sort(([, left], [, right]) => right - left)
  const outcomes = parts.map(([outcome, count]) => `${outcome} ${count}`).join(', ')
  const { answers, forwarded, titles, filesNew } = figures
  const shares = `${offloadOf(figures).toFixed(4)} by requests, ${bytesOffloadOf(figures).toFixed(4)} by bytes`
  return `${shares}: ${forwarded} of ${answers} forwarded, ${filesNew} files for the first time, ${titles} titles (${outcomes})`
}

/** Afterwards: what it fetches must not be in the edge's memory before. */
async function playSample({ stage, load, seeded, say }: Bed): Promise<void> {
  say(`playing ${load.sample} titles drawn at random in each cell`)
  const drawn = [...seeded.ids].sort(() => Math.random() - 0.5).slice(0, load.sample)
  for (const country of COUNTRIES) {
    const visitor = await createVisitor(stage.watchUrl, country)
    for (const id of drawn) await playTitle(visitor, stage.watchUrl, id)
  }
}
