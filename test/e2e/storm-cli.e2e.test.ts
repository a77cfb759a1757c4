import { afterAll, afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canMakeSmallDisk, parseReport, type StormReport } from '../../src/storm/index.ts'
import { leftBehind } from '../fixtures/left-behind.ts'
import { scaledScenario } from '../storm/scaled.ts'
import { type Finished, PROJECT } from './platform.ts'

const whyNoDisk = canMakeSmallDisk()
/** What the command is to leave: its reports. */
const directory = mkdtempSync(join(tmpdir(), 'tentpole-storm-cli-'))
/** What it is to leave nothing in; short, since sockets live below it. */
const temporary = mkdtempSync('/tmp/s')
afterEach(async () => expect(await leftBehind(temporary)).toEqual([]))
afterAll(() => {
  for (const path of [directory, temporary]) rmSync(path, { recursive: true, force: true })
})

type Running = {
  readonly child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  readonly finished: Promise<Finished>
  shown(): string
}

function start(...args: string[]): Running {
  const child = Bun.spawn(['node', join(PROJECT, 'bin', 'tentpole.mjs'), ...args], {
    cwd: directory,
    env: { ...process.env, TMPDIR: temporary },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = { stdout: '', stderr: '' }
  const follow = async (name: 'stdout' | 'stderr'): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const bytes of child[name]) said[name] += decoder.decode(bytes, { stream: true })
  }
  const finish = async (): Promise<Finished> => {
    const [exitCode] = await Promise.all([child.exited, follow('stdout'), follow('stderr')])
    return { exitCode, ...said }
  }
  return { child, finished: finish(), shown: () => said.stderr }
}

const lastLine = ({ stdout }: Finished): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '')

function writeScenario(name: string, scenario: unknown): string {
  const file = join(directory, `${name}.storm.ts`)
  writeFileSync(file, `export default ${JSON.stringify(scenario)}\n`)
  return file
}

const readReport = (out: string): StormReport => parseReport(readFileSync(join(out, 'report.json'), 'utf8'))

test.skipIf(whyNoDisk !== null)(
  `tentpole storm starts a platform, fills its disk in mid-storm, says what came of it, and leaves nothing behind (${whyNoDisk ?? 'made here'})`,
  async () => {
    const scaled = scaledScenario('disk-full', 0.2)
    const scenario = writeScenario('disk', {
      ...scaled,
      platform: { ...scaled.platform, premiereMs: 12_000, titles: 2 },
    })
    const out = join(directory, 'report')
    const ended = await start('storm', '--scenario', scenario, '--seed', '5', '--out', out, '--json').finished
    const line = lastLine(ended) as Pick<StormReport, 'verdict'> & { files: { json: string } } // as docs/storm.md has it
    expect([line.verdict === 'passed' ? 0 : 1, ended.stderr.includes('phase')]).toEqual([ended.exitCode, true])
    expect(line.files.json).toBe(join(out, 'report.json'))
    const report = readReport(out)
    expect(report.repeat).toContain('--seed 5')
    const [fault] = report.faults
    expect([fault?.label, fault?.failure, fault?.recoveredAfterMs !== null]).toEqual(['disk full for 3 s', null, true])
    const broken = report.objectives.filter(({ unit, outcome }) => unit === 'count' && outcome === 'missed')
    expect(broken).toEqual([])
    const html = readFileSync(join(out, 'report.html'), 'utf8')
    expect(html).toContain('disk full for 3 s')

    const compared = await start('storm', 'compare', line.files.json, line.files.json).finished
    expect([compared.exitCode, compared.stdout.includes('Home page, p99')]).toEqual([0, true])
  },
  150_000,
)

test('a Ctrl-C in mid-storm: the faults are undone, the report says that it says nothing, and nothing is left', async () => {
  const scenario = writeScenario('interrupted', {
    name: 'interrupted',
    baselinePerSecond: 20,
    phases: [{ name: 'busy', durationMs: 60_000, arrivals: 1 }],
    faults: [
      { kind: 'freeze', role: 'control', atMs: 500, forMs: 50_000 },
      { kind: 'link', where: 'cell-a', atMs: 500, forMs: 50_000, conditions: { latencyMs: 20 } },
    ],
    operations: [{ kind: 'publish', atMs: 0, filmMs: 1_000 }],
    platform: { workers: 1, premiereMs: 2_000, titles: 1, titleMs: 1_000 },
  })
  const out = join(directory, 'interrupted')
  const { child, finished, shown } = start('storm', '--scenario', scenario, '--out', out, '--json')
  const deadline = performance.now() + 60_000
  const struck = (): number => shown().split('struck').length - 1
  while (struck() < 2 && child.exitCode === null && performance.now() < deadline) await Bun.sleep(20)
  expect([struck(), child.exitCode]).toEqual([2, null])
  const toldMs = performance.now()
  child.kill('SIGINT')
  const ended = await finished
  // A role that stands still would keep the platform for 20 s from ending in order.
  expect(performance.now() - toldMs).toBeLessThan(15_000)
  expect([ended.exitCode, lastLine(ended)]).toEqual([1, expect.objectContaining({ verdict: 'invalid' })])
  const report = readReport(out)
  expect([report.verdict, report.invalidBecause.join('; ')]).toEqual([
    'invalid',
    expect.stringContaining('it was interrupted'),
  ])
  for (const { label, marks } of report.faults)
    expect([label, marks.map(({ phase }) => phase)]).toEqual([label, ['struck', 'ended']])
}, 100_000)

test('--self-test finds the p99 that theory gives', async () => {
  const ended = await start('storm', '--self-test', '--json').finished
  const { passed, measuredP99Ms, invalidBecause } = lastLine(ended) as {
    passed: boolean
    measuredP99Ms: number
    invalidBecause: string[]
  } // as `SelfTestResult` has it
  expect([ended.exitCode, Math.abs(measuredP99Ms - 900) <= 60]).toEqual([passed ? 0 : 1, true])
  // A busy machine may make the generator late; that is all that may be wrong.
  expect(invalidBecause.filter((why) => !why.includes('lag p99'))).toEqual([])
  if (invalidBecause.length === 0) expect(Math.abs(measuredP99Ms - 900)).toBeLessThanOrEqual(45)
}, 60_000)
