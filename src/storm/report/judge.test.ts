import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { makeEvidence, makeFacts, makeStormReport, STORM_OBJECTIVES } from '../../../test/fixtures/storm-report.ts'
import type { Objectives } from '../scenario.ts'
import { decideValidity, decideVerdict, GENERATOR_LAG_P99_MAX_MS, judge, type RunFacts } from './judge.ts'
import { type Evidence, OBJECTIVE_KINDS } from './objectives.ts'
import type { FaultResult, ObjectiveResult, Totals } from './report.ts'

const SOUND = makeEvidence()
const totals = (changes: Partial<Totals>): Partial<Evidence> => ({ totals: { ...SOUND.totals, ...changes } })
const [CELL_DOWN, STORE_KILLED] = SOUND.faults as [FaultResult, FaultResult]
const NOT_STRUCK: FaultResult = { ...CELL_DOWN, marks: [], recoveredAfterMs: null }

type Case = readonly [
  id: keyof Objectives,
  limit: number,
  changes: Partial<Evidence>,
  outcome: ObjectiveResult['outcome'],
  measured: number | null,
  detail: string,
]

const WITHOUT_VIOLATION = makeEvidence().probes.map((probe) => ({ ...probe, violations: [] }))

const CASES: readonly Case[] = [
  [
    'errorRatioMax',
    0.01,
    totals({ requests: 1_000, errors: 10 }),
    'met',
    0.01,
    '10 of 1,000 requests failed (1%); limit at most 1%',
  ],
  ['errorRatioMax', 0.01, totals({ requests: 1_000, errors: 11 }), 'missed', 0.011, '11 of 1,000'],
  ['errorRatioMax', 0.01, totals({ requests: 0, errors: 0 }), 'not-measured', null, 'no request was made'],
  ['homeP99MsMax', 500, {}, 'met', 412, 'p99 of home 412 ms of 8,210 requests; limit at most 500 ms'],
  ['homeP99MsMax', 400, {}, 'missed', 412, 'limit at most 400 ms'],
  ['homeP99MsMax', 500, { requests: [] }, 'not-measured', null, 'no request of the kind home'],
  ['playbackP99MsMax', 600, {}, 'met', 548, 'p99 of playback 548 ms of 3,020 requests'],
  ['playbackP99MsMax', 500, {}, 'missed', 548, 'limit at most 500 ms'],
  ['playbackP99MsMax', 500, { requests: [] }, 'not-measured', null, 'playback'],
  ['startupP95MsMax', 1_240, {}, 'met', 1_240, 'p95 from click to first picture 1,240 ms (2,990 starts, 22 gave up)'],
  ['startupP95MsMax', 1_239, {}, 'missed', 1_240, 'limit at most 1,239 ms'],
  ['startupP95MsMax', 2_000, totals({ startups: 0 }), 'not-measured', null, 'nobody'],
  [
    'rebufferRatioMax',
    0.25,
    totals({ playedMs: 9_000, stalledMs: 1_000, stalls: 3 }),
    'met',
    0.1,
    '10% of watching time stalled (1,000 ms in 3 stalls)',
  ],
  ['rebufferRatioMax', 0.05, totals({ playedMs: 9_000, stalledMs: 1_000 }), 'missed', 0.1, 'limit at most 5%'],
  ['rebufferRatioMax', 0.05, totals({ playedMs: 0, stalledMs: 0 }), 'not-measured', null, 'nobody played'],
  ['viewersLostRatioMax', 0.02, totals({ viewers: 1_000, gaveUp: 20 }), 'met', 0.02, '20 of 1,000 viewers gave up'],
  ['viewersLostRatioMax', 0.02, totals({ viewers: 1_000, gaveUp: 21 }), 'missed', 0.021, 'limit at most 2%'],
  ['viewersLostRatioMax', 0.02, totals({ viewers: 0, gaveUp: 0 }), 'not-measured', null, 'nobody came'],
  ['originOffloadMin', 0.9, totals({ offloadKnown: 100, offloadHits: 90 }), 'met', 0.9, 'limit at least 90%'],
  ['originOffloadMin', 0.9, totals({ offloadKnown: 100, offloadHits: 89 }), 'missed', 0.89, '89% of 100 media files'],
  ['originOffloadMin', 0.9, totals({ offloadKnown: 0, offloadHits: 0 }), 'not-measured', null, 'no Cache-Status'],
  ['eventsLostMax', 0, {}, 'met', 0, '0 lost; 14,820 events acknowledged; limit none'],
  ['eventsLostMax', 0, { journal: { ...SOUND.journal, lost: 1 } }, 'missed', 1, '1 lost'],
  [
    'eventsLostMax',
    0,
    { journal: { ...SOUND.journal, notChecked: 'no log within reach' } },
    'not-measured',
    null,
    'no log within reach',
  ],
  ['eventsLostMax', 0, { journal: { ...SOUND.journal, acknowledged: 0 } }, 'not-measured', null, 'acknowledged'],
  ['eventsDoubledMax', 0, {}, 'met', 0, '0 doubled'],
  ['eventsDoubledMax', 0, { journal: { ...SOUND.journal, doubled: 2 } }, 'missed', 2, '2 doubled'],
  ['eventsDoubledMax', 0, { journal: { ...SOUND.journal, notChecked: 'trimmed' } }, 'not-measured', null, 'trimmed'],
  ['recoveryMsMax', 3_000, {}, 'met', 2_870, 'healthy and without errors 2,870 ms after the end of: cell-b'],
  ['recoveryMsMax', 2_000, {}, 'missed', 2_870, 'limit at most 2,000 ms'],
  [
    'recoveryMsMax',
    60_000,
    { faults: [{ ...CELL_DOWN, recoveredAfterMs: null }] },
    'missed',
    33_970,
    'not recovered when the storm ended, 34 s after the fault',
  ],
  ['recoveryMsMax', 60_000, { faults: [NOT_STRUCK] }, 'not-measured', null, 'no fault struck'],
  ['sparedCellsErrorsMax', 0, {}, 'met', 0, '0 of 38,120 requests failed in a'],
  ['sparedCellsErrorsMax', 0, { faults: [STORE_KILLED] }, 'missed', 214, '214 of 96,310 requests failed in a, b'],
  [
    'sparedCellsErrorsMax',
    0,
    { faults: [{ ...CELL_DOWN, roles: ['cell-*'] }] },
    'not-measured',
    null,
    'no request went to a cell',
  ],
  ['sparedCellsErrorsMax', 0, { faults: [] }, 'not-measured', null, 'no fault struck'],
  [
    'unpublishedMax',
    0,
    { publications: { asked: 2, unpublished: 0, notWatched: null } },
    'met',
    0,
    '0 of 2 films not published',
  ],
  ['unpublishedMax', 0, { publications: { asked: 2, unpublished: 1, notWatched: null } }, 'missed', 1, '1 of 2 films'],
  ['unpublishedMax', 0, {}, 'not-measured', null, 'publishes no film'],
  [
    'unpublishedMax',
    0,
    { publications: { asked: 2, unpublished: 2, notWatched: "no operator's token" } },
    'not-measured',
    null,
    "no operator's token",
  ],
  [
    'violationsMax',
    1,
    {},
    'met',
    1,
    '1 violation in 888 checks of 3 promises (not watched throughout: A viewer resumes',
  ],
  ['violationsMax', 0, {}, 'missed', 1, 'limit none'],
  ['violationsMax', 0, { probes: [] }, 'not-measured', null, 'nothing was probed'],
  // A promise that nobody looked at was not kept, unless the scenario gave no occasion to look.
  ['violationsMax', 0, { probes: WITHOUT_VIOLATION }, 'not-measured', null, 'not watched: A viewer resumes'],
  [
    'violationsMax',
    0,
    { probes: WITHOUT_VIOLATION, unasked: ['resume-exact'] },
    'met',
    0,
    '0 violations in 888 checks',
  ],
  [
    'violationsMax',
    0,
    { probes: SOUND.probes.filter((probe) => probe.checks === 0) },
    'not-measured',
    null,
    'the target tells no resume position',
  ],
  [
    'homeP99MsMax',
    500,
    { requests: SOUND.requests.map((row) => ({ ...row, p99Ms: Number.NaN })) },
    'not-measured',
    null,
    'got NaN',
  ],
]

test.each(CASES)('%s %p with %j is %s', (id, limit, changes, outcome, measured, detail) => {
  const [result, ...others] = judge(makeEvidence(changes), { [id]: limit })
  expect(others).toEqual([])
  expect(result).toMatchObject({ id, limit, outcome })
  if (measured === null) expect(result?.measured).toBeNull()
  else expect(result?.measured).toBeCloseTo(measured, 9)
  expect(result?.detail).toContain(detail)
})

test('every objective has a case that is met, one that is missed and one that is not measured', () => {
  const seen = new Set(CASES.map(([id, , , outcome]) => `${id} ${outcome}`))
  for (const { id } of OBJECTIVE_KINDS) {
    for (const outcome of ['met', 'missed', 'not-measured']) expect(seen).toContain(`${id} ${outcome}`)
  }
})

test('one line for each objective that is set, in a fixed order, none for those that are not', () => {
  const backwards = Object.fromEntries(Object.entries(STORM_OBJECTIVES).reverse())
  expect(judge(SOUND, backwards).map(({ id }) => id)).toEqual(Object.keys(STORM_OBJECTIVES))
  expect(judge(SOUND, {})).toEqual([])
})

test('a limit that is loosened never turns a met objective into a missed one', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 2_000, noNaN: true }),
      fc.double({ min: 0, max: 500, noNaN: true }),
      (limit, looser) => {
        const outcomeAt = (homeP99MsMax: number) => judge(SOUND, { homeP99MsMax })[0]?.outcome
        return outcomeAt(limit) !== 'met' || outcomeAt(limit + looser) === 'met'
      },
    ),
  )
})

const REASONS: readonly (readonly [string, Partial<RunFacts>, string | null])[] = [
  ['a run as it should be', {}, null],
  ['lag at the limit', lag(GENERATOR_LAG_P99_MAX_MS), null],
  ['lag above the limit', lag(5.1), "the generator's lag p99 was 5.1 ms, at most 5 ms is believable"],
  ['lag that is not a number', lag(Number.NaN), 'lag p99'],
  ['a viewer who never came', { arrivals: { planned: 10, made: 9 } }, '9 of 10 viewers arrived'],
  ['more viewers than planned', { arrivals: { planned: 10, made: 11 } }, null],
  [
    'a bound',
    { endedEarly: { kind: 'bound', bound: 'viewersMax', limit: 20_000, atMs: 31_000 } },
    'ended at 0:31.0 at its bound of 20,000 viewers: raise viewersMax',
  ],
  [
    'an interruption',
    { endedEarly: { kind: 'interrupted', atMs: 4_000 }, arrivals: { planned: 9, made: 1 } },
    'interrupted at 0:04.0',
  ],
  ['no request', { totals: { ...SOUND.totals, requests: 0 } }, 'no request was made'],
  [
    'a fault that could not strike',
    { faults: [{ ...NOT_STRUCK, failure: 'no such role' }] },
    'could not strike (cell-b killed and kept down for 8 s): no such role',
  ],
  ['a fault that never struck', { faults: [NOT_STRUCK] }, 'never struck'],
]

test.each(REASONS)('%s decides validity', (_name, changes, reason) => {
  const reasons = decideValidity(makeFacts(SOUND, changes))
  expect(reasons).toHaveLength(reason === null ? 0 : 1)
  if (reason !== null) expect(reasons[0]).toContain(reason)
})

function lag(lagP99Ms: number): Partial<RunFacts> {
  return { generator: { ...makeFacts(SOUND).generator, lagP99Ms } }
}

const VERDICTS: readonly (readonly [string, Partial<Evidence & RunFacts>, Objectives, string])[] = [
  ['nothing missed', {}, { homeP99MsMax: 500 }, 'passed'],
  ['nothing set', {}, {}, 'passed'],
  ['one missed', {}, { homeP99MsMax: 500, playbackP99MsMax: 1 }, 'failed'],
  ['one not measured beside one met', {}, { homeP99MsMax: 500, unpublishedMax: 0 }, 'passed'],
  ['nothing measured', {}, { unpublishedMax: 0 }, 'invalid'],
  ['missed, but the generator lagged', lag(6), { playbackP99MsMax: 1 }, 'invalid'],
  ['met, but the generator lagged', lag(6), { homeP99MsMax: 500 }, 'invalid'],
]

test.each(VERDICTS)('verdict: %s', (_name, changes, objectives, verdict) => {
  const judgement = decideVerdict({ ...SOUND, ...makeFacts(SOUND), ...changes }, objectives)
  expect(judgement.verdict).toBe(verdict as typeof judgement.verdict)
  expect(judgement.invalidBecause.length > 0).toBe(verdict === 'invalid')
})

test('the fixture is a failed run with three objectives missed', () => {
  const report = makeStormReport()
  expect(report.verdict).toBe('failed')
  expect(report.objectives.filter(({ outcome }) => outcome === 'missed').map(({ id }) => id)).toEqual([
    'errorRatioMax',
    'playbackP99MsMax',
    'violationsMax',
  ])
})

test('on a platform of its own storm leaves nothing unmeasured; on a given one the verdict says what it could not see', () => {
  const blind = { ...makeEvidence(), journal: { ...makeEvidence().journal, notChecked: 'the log is gone' } }
  const objectives = { homeP99MsMax: 500, eventsLostMax: 0 }
  const judged = (ownPlatform: boolean) =>
    decideVerdict({ ...blind, ...makeFacts(blind), ownPlatform, generator: makeFacts().generator }, objectives)
  expect(judged(false).verdict).toBe('passed')
  expect(judged(true).verdict).toBe('invalid')
  expect(judged(true).invalidBecause.join()).toContain('Events lost could not be measured')
})
