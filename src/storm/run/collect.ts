import { availableParallelism, arch as osArch, release as osRelease, type as osType, totalmem } from 'node:os'
import { createId } from '../../kernel/index.ts'
import { describeFault } from '../faults/describe.ts'
import { checkJournal } from '../probes/index.ts'
import { decideVerdict, type EndedEarly } from '../report/judge.ts'
import {
  type GeneratorFigures,
  type JournalResult,
  REPORT_VERSION,
  type Sample,
  type StormReport,
} from '../report/report.ts'
import { durationOf, type Scenario } from '../scenario.ts'
import { untilAborted } from '../until-aborted.ts'
import { toFaultResults } from './recovery.ts'
import type { Storm } from './storm.ts'

/** How long a platform may take after the storm: to be healthy again, to publish what was begun, to show its log. */
const HEALTH_WAIT_MS = 15_000
const PUBLISH_WAIT_MS = 30_000
const JOURNAL_SETTLE_MS = 5_000

/**
 * After the storm: undoes the faults, waits for what is still to come, compares the journal with the log, and judges. An interrupt
 * ends every wait; what was not waited for could be held against the platform, so the run counts as interrupted then.
 */
export async function collectReport(storm: Storm, blownEarly: EndedEarly | null): Promise<StormReport> {
  const { scenario, stage, recorder, crowd, health, operations, faults, interrupt } = storm
  const ranMs = Math.min(storm.nowMs(), durationOf(scenario))
  const hurry = blownEarly ? AbortSignal.abort() : interrupt
  await faults?.stop()
  const films = await operations.finish(PUBLISH_WAIT_MS, hurry)
  await health.settled(HEALTH_WAIT_MS, hurry)
  const probes = await storm.probes.stop()
  const journal = await readJournal(storm)
  health.close()
  const endedEarly = blownEarly ?? (interrupt.aborted ? { kind: 'interrupted', atMs: storm.nowMs() } : null)

  const samples = recorder.samples()
  const faultResults = toFaultResults({
    plans: scenario.faults,
    marks: storm.marks,
    ranMs,
    due: recorder.due(),
    health: health.history(),
    failures: failuresOf(storm),
  })
  for (const fault of faultResults) {
    const ended = fault.marks.filter((mark) => mark.phase === 'ended').at(-1)
    if (ended && fault.recoveredAfterMs !== null)
      storm.mark('recovered', `recovered from ${fault.label}`, ended.atMs + fault.recoveredAfterMs)
  }
  const evidence = {
    totals: recorder.totals(),
    requests: recorder.requests(),
    cells: recorder.cells(),
    faults: faultResults,
    probes,
    journal,
    generator: toGenerator(storm, samples),
  }
  const judgement = decideVerdict(
    {
      ...evidence,
      ranMs,
      endedEarly,
      ownPlatform: stage.startedByStorm,
      unasked: scenario.operations.some(({ kind }) => kind === 'withdraw') ? [] : ['withdrawn-stops'],
      arrivals: { planned: storm.arrivalsPlanned, made: crowd.arrived() },
      publications: {
        asked: scenario.operations.filter((operation) => operation.kind === 'publish').length,
        unpublished: films.unpublished.length,
        notWatched: films.notDone,
      },
    },
    scenario.objectives,
  )
  return {
    version: REPORT_VERSION,
    id: createId(),
    startedAt: storm.startedAt.toISOString(),
    tool: { version: storm.toolVersion, bun: Bun.version },
    machine: {
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      os: `${osType()} ${osRelease()} ${osArch()}`,
    },
    seed: storm.seed,
    repeat: storm.repeat,
    scenario: describeScenario(scenario),
    target: { url: stage.watchUrl, startedByStorm: stage.startedByStorm, version: stage.version },
    ...judgement,
    ...evidence,
    series: samples,
    timeline: [...storm.timeline].sort((left, right) => left.atMs - right.atMs),
  }
}

function failuresOf({ scenario, faults }: Storm): ReadonlyMap<string, string> {
  if (faults) return new Map(faults.failures().map(({ faultId, reason }) => [faultId, reason]))
  const why = 'storm strikes only a platform on this machine: give its --home DIR, or let storm start one'
  return new Map(scenario.faults.map((plan) => [describeFault(plan).id, why]))
}

async function readJournal({ stage, journal, interrupt }: Storm): Promise<JournalResult> {
  const notChecked = (why: string): JournalResult => ({
    acknowledged: journal.acknowledged(),
    lost: 0,
    doubled: 0,
    redelivered: 0,
    notChecked: why,
  })
  if (!stage.inside)
    return notChecked('the log can be read only on the machine of the platform: run storm there, with --home DIR')
  try {
    const checking = checkJournal({ journal, log: stage.inside.log, settleMs: JOURNAL_SETTLE_MS })
    return await untilAborted(checking, interrupt)
  } catch (error) {
    if (interrupt.aborted) return notChecked('the storm was interrupted before the log was compared')
    throw error
  }
}

function toGenerator({ recorder, priorityRaised }: Storm, samples: readonly Sample[]): GeneratorFigures {
  const lag = recorder.lags()
  const cpus = samples.map((sample) => sample.cpu)
  return {
    lagP50Ms: lag.p50Ms,
    lagP99Ms: lag.p99Ms,
    lagMaxMs: lag.maxMs,
    cpuMean: cpus.reduce((sum, cpu) => sum + cpu, 0) / Math.max(1, cpus.length),
    cpuMax: Math.max(0, ...cpus),
    rssBytesMax: Math.max(process.memoryUsage.rss(), ...samples.map((sample) => sample.rssBytes)),
    priorityRaised,
  }
}

function describeScenario(scenario: Scenario): StormReport['scenario'] {
  const { name, description, baselinePerSecond } = scenario
  let fromMs = 0
  const phases = scenario.phases.map((phase) => {
    const toMs = fromMs + phase.durationMs
    const line = { name: phase.name, fromMs, toMs }
    fromMs = toMs
    return line
  })
  return { name, description, baselinePerSecond, durationMs: durationOf(scenario), phases }
}
