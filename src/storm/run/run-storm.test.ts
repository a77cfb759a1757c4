import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlatformStatus, StaffTitle } from '../../contracts/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { layoutOf } from '../../roles/index.ts'
import { defineStorm, type StormInput } from '../define.ts'
import { type FakePlatform, startFakePlatform } from '../probes/testing/fake-platform.ts'
import type { StormReport } from '../report/report.ts'
import type { Inside, Operator, Stage } from '../stage.ts'
import { loopbackTarget } from '../target.ts'
import { runStorm } from './run-storm.ts'
import type { StormOptions } from './storm.ts'

const SEED = 5
/** What a storm may take to end once it is told to: the last answers of the crowd are waited for a moment. */
const SOON_MS = 4_000
const TITLE = '0000000000000001'

let home: string
let platform: FakePlatform
/** What was asked of the platform's operator and supervisor. */
let asked: { statuses: number; publishing: Set<string> }
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'storm-run-'))
  platform = startFakePlatform([TITLE])
  asked = { statuses: 0, publishing: new Set() }
})
afterEach(async () => {
  await platform.stop()
  rmSync(home, { recursive: true })
})

const quick: Operator['publish'] = async () => JSON.parse(`{"id":"${TITLE}"}`) as StaffTitle // all that is looked at
/** Never done, and glad to stop. */
const endless: Operator['publish'] = (name, _, signal) => {
  asked.publishing.add(name)
  return new Promise<never>((__, reject) => {
    signal.addEventListener('abort', () => {
      asked.publishing.delete(name)
      reject(signal.reason)
    })
  })
}
const operatorOf = (publish: Operator['publish']): Operator => ({
  publish,
  withdraw: async (titleId) => platform.withdraw(titleId),
})

/** A supervisor and a log that say what they are told to. */
function insideOf(down: readonly string[] = []): Inside {
  const role = { name: 'edge', role: 'edge', restarts: 0, sinceMs: 0, detail: null, pid: null } as const
  const state = down.includes('edge') ? 'backoff' : 'healthy'
  const addresses = { watchUrl: platform.url, consoleUrl: platform.url }
  const status: PlatformStatus = {
    healthy: true,
    version: '0',
    startedAtMs: 0,
    ...addresses,
    roles: [{ ...role, state }],
  }
  const log: Pick<Inside['log'], 'bounds'> = { bounds: async () => ({}) }
  return {
    layout: layoutOf(home),
    disk: null,
    async status() {
      asked.statuses += 1
      return status
    },
    log: log as Inside['log'], // a log without records is not read
  }
}

type Told = Partial<Omit<StormOptions, 'scenario' | 'stage'>>

function blow(scenario: Partial<StormInput>, stage: Partial<Stage>, told: Told = {}): Promise<StormReport> {
  return runStorm({
    scenario: defineStorm({
      name: 'small',
      baselinePerSecond: 20,
      phases: [{ name: 'all of it', durationMs: 1_500, arrivals: 1 }],
      objectives: {},
      ...scenario,
    }),
    stage: {
      watchUrl: platform.url,
      premiereId: null,
      startedByStorm: false,
      version: null,
      inside: null,
      operator: null,
      ...stage,
    },
    target: loopbackTarget(Number(new URL(platform.url).port)),
    seed: SEED,
    toolVersion: '0',
    repeat: '',
    logger: silentLogger,
    ...told,
  })
}

/** Nobody asks the platform or its supervisor any more, nobody is published, and the process is as it was. */
async function expectAllEnded(niceBefore: number): Promise<void> {
  const before = [platform.requests(), asked.statuses]
  // Longer than any of them waits between two questions.
  await Bun.sleep(700)
  expect([platform.requests(), asked.statuses]).toEqual(before)
  expect([...asked.publishing]).toEqual([])
  expect(getPriority()).toBe(niceBefore)
}

const PUBLISH = { kind: 'publish', atMs: 0, filmMs: 1_000 } as const
const WITHDRAW = { kind: 'withdraw', atMs: 500 } as const

test(`to its end: nothing of it goes on (seed ${SEED})`, async () => {
  const nice = getPriority()
  const stage = { inside: insideOf(), operator: operatorOf(quick) }
  const report = await blow({ operations: [PUBLISH, WITHDRAW] }, stage)
  expect(report.invalidBecause.filter((why) => !why.includes('lag'))).toEqual([])
  expect(report.totals.requests).toBeGreaterThan(20)
  expect(report.timeline.map(({ label }) => label).join('\n')).toMatch(/Storm film 1: published.*a title is withdrawn/s)
  await expectAllEnded(nice)
}, 20_000)

test(`each answer to a viewer is told, and none of a probe (seed ${SEED})`, async () => {
  let answers = 0
  const failed: string[] = []
  const report = await blow(
    {},
    {},
    {
      onAnswer({ kind }, reply) {
        answers += 1
        if (!reply.ok) failed.push(kind)
      },
    },
  )
  const { requests, abandoned, errors, errorsByReason } = report.totals
  expect(answers).toBe(requests - abandoned - (errorsByReason['unanswered'] ?? 0))
  expect(failed.length).toBe(errors - (errorsByReason['unanswered'] ?? 0))
  expect(answers).toBeGreaterThan(20)
}, 20_000)

describe('interrupted', () => {
  const reason = new Error('enough')

  test('before its begin: the reason, and no report', async () => {
    const nice = getPriority()
    const interrupt = new AbortController()
    const stage = { inside: insideOf(), operator: operatorOf(endless) }
    const blowing = blow({ operations: [WITHDRAW] }, stage, { interrupt: interrupt.signal }).catch(
      (error: unknown) => error,
    )
    while (asked.publishing.size === 0) await Bun.sleep(1)
    const toldMs = performance.now()
    interrupt.abort(reason)
    expect(await blowing).toBe(reason)
    expect(performance.now() - toldMs).toBeLessThan(SOON_MS)
    expect(platform.requests()).toBe(0)
    await expectAllEnded(nice)
  }, 20_000)

  test('before it was called: nobody is asked anything', async () => {
    const interrupt = AbortSignal.abort(reason)
    const blowing = blow({ operations: [WITHDRAW] }, { operator: operatorOf(endless) }, { interrupt })
    expect(await blowing.catch((error: unknown) => error)).toBe(reason)
    expect([platform.requests(), asked.publishing.size]).toEqual([0, 0])
  })

  test('in the middle: an invalid report, soon, whatever is still to be waited for', async () => {
    const nice = getPriority()
    const interrupt = new AbortController()
    const phases = [{ name: 'all of it', durationMs: 50_000, arrivals: 1 }]
    const stage = { inside: insideOf(['edge']), operator: operatorOf(endless) }
    let toldMs = 0
    const report = await blow({ phases, operations: [PUBLISH] }, stage, {
      interrupt: interrupt.signal,
      onSample() {
        toldMs ||= performance.now()
        interrupt.abort(reason)
      },
    })
    expect(performance.now() - toldMs).toBeLessThan(SOON_MS)
    expect([report.verdict, report.invalidBecause.join('; ')]).toEqual([
      'invalid',
      expect.stringContaining('it was interrupted at'),
    ])
    expect(report.journal.notChecked).toContain('interrupted')
    await expectAllEnded(nice)
  }, 20_000)

  test('while it waits for the platform to settle: the waits end, and the run counts as interrupted', async () => {
    const nice = getPriority()
    const interrupt = new AbortController()
    const stage = { inside: insideOf(['edge']), operator: operatorOf(endless) }
    const blowing = blow({ operations: [PUBLISH] }, stage, { interrupt: interrupt.signal })
    // Past the storm and its last answers, and well before the film is given up.
    await Bun.sleep(1_500 + 1_500)
    expect(asked.publishing.size).toBe(1)
    const toldMs = performance.now()
    interrupt.abort(reason)
    const report = await blowing
    expect(performance.now() - toldMs).toBeLessThan(SOON_MS / 4)
    expect([report.verdict, report.invalidBecause.join('; ')]).toEqual([
      'invalid',
      expect.stringContaining('it was interrupted at'),
    ])
    await expectAllEnded(nice)
  }, 20_000)
})

test('broken in the middle: its own error, and nothing of it goes on', async () => {
  const nice = getPriority()
  const stage = { inside: insideOf(), operator: operatorOf(endless) }
  const blowing = blow({ operations: [PUBLISH] }, stage, {
    onSample() {
      throw new Error('the screen is gone')
    },
  })
  await expect(blowing).rejects.toThrow('the screen is gone')
  await expectAllEnded(nice)
}, 20_000)
