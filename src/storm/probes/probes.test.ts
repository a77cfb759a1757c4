import { afterEach, describe, expect, test } from 'bun:test'
import type { StaffTitle } from '../../contracts/index.ts'
import { systemClock } from '../../kernel/index.ts'
import type { ProbeResult } from '../report/report.ts'
import type { Operation } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { checkTarget } from '../target.ts'
import { createProbes, type ProbeLimits, type Violation } from './index.ts'
import { type FakePlatform, type Misbehaviour, startFakePlatform } from './testing/fake-platform.ts'

const SEED = 7
const TITLES = ['0000000000000001', '0000000000000002', '0000000000000003']
const [FIRST = '', SECOND = ''] = TITLES
/** The same, in a hurry. */
const QUICK: Partial<ProbeLimits> = {
  listedPerSecond: 400,
  signaturePerSecond: 400,
  resumePerSecond: 400,
  patienceMs: 150,
  retryMs: 20,
  listedForMs: 30,
  withdrawnWithinMs: 200,
  transferMs: 100,
  withdrawnEveryMs: 10,
  withdrawnLaterEveryMs: 10,
  resumeWithinMs: 150,
  resumePollMs: 20,
}

const platforms: FakePlatform[] = []
afterEach(async () => {
  for (const platform of platforms.splice(0)) await platform.stop()
})

type Run = { results: Map<ProbeResult['id'], ProbeResult>; violations: Violation[] }

/** Probes until `enough`, or until the time is over: what is not there then is not found. */
async function probe(options: {
  misbehaviour?: Misbehaviour
  operations?: Operation[]
  hasOperator?: boolean
  enough: (violations: readonly Violation[], platform: FakePlatform, results: () => number) => boolean
  during?: (probes: ReturnType<typeof createProbes>, platform: FakePlatform) => Promise<void>
}): Promise<Run> {
  const platform = startFakePlatform(TITLES, options.misbehaviour)
  platforms.push(platform)
  const violations: Violation[] = []
  const probes = createProbes({
    stage: toStage(platform, options.hasOperator ?? true),
    target: await checkTarget(platform.url),
    clock: systemClock,
    seed: SEED,
    scenario: {
      populations: [{ weight: 1, country: 'US', tier: 'free', platform: 'tv', lineBps: 1 }],
      operations: options.operations ?? [],
    },
    onViolation: (violation) => violations.push(violation),
    limits: QUICK,
  })
  await probes.prepare()
  probes.start()
  await options.during?.(probes, platform)
  const deadline = performance.now() + 5_000
  while (performance.now() < deadline && !options.enough(violations, platform, platform.requests)) await Bun.sleep(10)
  const results = await probes.stop()
  return { results: new Map(results.map((result) => [result.id, result])), violations }
}

function toStage(platform: FakePlatform, hasOperator: boolean): Stage {
  return {
    watchUrl: platform.url,
    premiereId: null,
    startedByStorm: false,
    version: null,
    inside: null,
    operator: hasOperator
      ? {
          // Only the id is looked at.
          publish: async () => ({ id: FIRST }) as StaffTitle,
          withdraw: async (titleId) => platform.withdraw(titleId),
        }
      : null,
  }
}

const WITHDRAW: Operation = { kind: 'withdraw', atMs: 0 }
const withdraw = async (probes: ReturnType<typeof createProbes>): Promise<void> => {
  await probes.withdraw()
  // Past what is allowed after the acknowledgement, on the test's own short scale.
  await Bun.sleep(600)
}

test('a sound platform breaks nothing, and everything was looked at', async () => {
  const { results, violations } = await probe({
    operations: [WITHDRAW],
    during: withdraw,
    enough: (_, __, requests) => requests() > 900,
  })
  expect(violations).toEqual([])
  expect([...results.values()].map(({ id, notProbed }) => [id, notProbed])).toEqual([
    ['listed-plays', null],
    ['signature-needed', null],
    ['withdrawn-stops', null],
    ['resume-exact', null],
  ])
  for (const { id, checks } of results.values()) expect([id, checks > 10]).toEqual([id, true])
})

describe('found is', () => {
  const cases: [string, Misbehaviour, ProbeResult['id'], RegExp][] = [
    ['a title without media', { mediaStatus: { [SECOND]: 404 } }, 'listed-plays', /0002.*404 status-404/],
    ['a title whose segments are cut short', { truncated: [SECOND] }, 'listed-plays', /0002.*no whole ISO BMFF/],
    ['a title that fails for good while others play', { mediaStatus: { [SECOND]: 503 } }, 'listed-plays', /0002.*503/],
    ['media served to anyone', { unsigned: true }, 'signature-needed', /signature with one character changed/],
    ['a position that is not what was said', { toResumeMs: (at) => at + 1 }, 'resume-exact', /resumes at \d+ ms/],
    ['a position that is forgotten', { toResumeMs: () => null }, 'resume-exact', /resumes at null ms/],
    [
      'a position that changes later',
      { toResumeMs: (at, looks) => (looks > 2 ? 0 : at) },
      'resume-exact',
      /and later at 0 ms/,
    ],
  ]
  test.each(cases)('%s', async (_, misbehaviour, id, what) => {
    const { results, violations } = await probe({
      misbehaviour,
      enough: (found) => found.some((one) => what.test(one.what)),
    })
    expect(
      results
        .get(id)
        ?.violations.map((one) => one.what)
        .join('\n'),
    ).toMatch(what)
    expect(new Set(violations.map((one) => one.probe))).toEqual(new Set([id]))
  })

  const afterwards: [string, Misbehaviour, RegExp][] = [
    ['a withdrawn title still served', { servesWithdrawn: 'media' }, /fetched before, was still answered with 200/],
    ['one still served where it was not asked for', { servesWithdrawn: 'media' }, /not fetched before, was still/],
    ['one that can still be begun', { servesWithdrawn: 'playback' }, /a new playback was still answered with 200/],
  ]
  test.each(afterwards)('%s', async (_, misbehaviour, what) => {
    const { results } = await probe({
      misbehaviour,
      operations: [WITHDRAW],
      during: withdraw,
      enough: (found) => found.some((one) => what.test(one.what)),
    })
    expect(
      results
        .get('withdrawn-stops')
        ?.violations.map((one) => one.what)
        .join('\n'),
    ).toMatch(what)
  })

  test('a withdrawn title that home goes on to list', async () => {
    const { results } = await probe({
      misbehaviour: { keepsListing: true },
      operations: [WITHDRAW],
      during: withdraw,
      enough: (found) => found.some((one) => one.probe === 'listed-plays'),
    })
    expect(results.get('listed-plays')?.violations[0]?.what).toContain('410 title-withdrawn')
  })
})

describe('no violation is', () => {
  const passing: [string, Misbehaviour][] = [
    ['a platform that refuses all media for now', { allMediaStatus: 503 }],
    ['one that limits', { allMediaStatus: 429 }],
  ]
  test.each(passing)('%s', async (_, misbehaviour) => {
    const { violations } = await probe({ misbehaviour, enough: (__, ___, requests) => requests() > 200 })
    expect(violations).toEqual([])
  })

  test('a platform that is gone', async () => {
    const { violations, results } = await probe({
      during: async (_, platform) => platform.stop(),
      enough: () => true,
    })
    expect(violations).toEqual([])
    expect(results.get('listed-plays')?.notProbed).toBe('no listed title could be visited before the storm was over')
  })
})

describe('the withdrawal is not probed, and the result says why,', () => {
  test('in a scenario without one', async () => {
    const { results } = await probe({ enough: () => true })
    expect(results.get('withdrawn-stops')?.notProbed).toBe('the scenario withdraws nothing')
  })
  test('without an operator', async () => {
    const { results } = await probe({
      operations: [WITHDRAW],
      hasOperator: false,
      enough: () => true,
      during: async (probes) => {
        expect(await probes.withdraw().catch((error: { code: string }) => error.code)).toBe('nothing-to-withdraw')
      },
    })
    expect(results.get('withdrawn-stops')?.notProbed).toContain('needs an operator')
  })
  test('in a storm that ends right after it', async () => {
    const { results } = await probe({
      operations: [WITHDRAW],
      during: (probes) => probes.withdraw(),
      enough: () => true,
    })
    expect(results.get('withdrawn-stops')?.notProbed).toContain('was over before')
  })
})
