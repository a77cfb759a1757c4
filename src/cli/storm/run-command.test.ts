import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import { parseReport, type StormOptions, type StormReport } from '../../storm/index.ts'
import { compareCommand } from './compare-command.ts'
import { parseStormOptions } from './options.ts'
import { runCommand } from './run-command.ts'

const HERO = '88sakjgw5pspz3d8'
const directory = mkdtempSync(join(tmpdir(), 'storm-run-'))
let asked = 0
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    asked += 1
    if (request.url.endsWith('/v1/session'))
      return Response.json({ viewerId: 'v', token: 't', expiresAtMs: 1, cell: 'a' })
    return Response.json({ hero: null, rails: [] })
  },
})
afterAll(async () => {
  await server.stop(true)
  rmSync(directory, { recursive: true })
})

type Ran = { exitCode: number; printed: string[]; shown: string; asked: StormOptions | null; out: string }

/** The command on a target that answers, with a storm that ends with this report at once. */
async function run(
  report: StormReport,
  flags: readonly string[] = [],
  buildReportPage: () => Promise<string> = async () => 'page <!--storm-report--> end',
): Promise<Ran> {
  const ran: Ran = { exitCode: -1, printed: [], shown: '', asked: null, out: mkdtempSync(join(directory, 'out-')) }
  const target = ['--target', `http://localhost:${server.port}`, '--seed', '42', '--out', ran.out]
  const options = parseStormOptions([...target, ...flags])
  if (options.kind !== 'run') throw new Error(`expected a run, got ${options.kind}`)
  const terminal = {
    print: (line: string) => void ran.printed.push(line),
    complain: () => {},
    showProgress: null,
  }
  ran.exitCode = await runCommand(
    options,
    { args: [], environment: { TENTPOLE_HOME: join(directory, HERO) }, terminal },
    {
      buildReportPage,
      screen: { write: (text) => (ran.shown += text) },
      async runStorm(asked) {
        ran.asked = asked
        asked.onPhase?.('exit rush')
        const sample = report.series[0]
        if (sample) asked.onSample?.(sample, report.totals)
        asked.onMark?.({ atMs: 1, kind: 'fault', label: 'kill -9 store: struck' })
        return report
      },
    },
  )
  return ran
}

const cases: [verdict: StormReport['verdict'], exitCode: number][] = [
  ['passed', 0],
  ['failed', 1],
  ['invalid', 1],
]
for (const [verdict, exitCode] of cases)
  test(`${verdict}: exit code ${exitCode}`, async () => {
    expect((await run(makeStormReport({ verdict }))).exitCode).toBe(exitCode)
  })

test('the storm gets the scenario, the seed and the address that was checked; both files are written', async () => {
  const { asked, out, shown, printed } = await run(makeStormReport(), ['--scenario', 'store-down'])
  expect(asked).toMatchObject({
    seed: 42,
    scenario: { name: 'store-down' },
    target: { address: '127.0.0.1', port: server.port },
    stage: { startedByStorm: false, inside: null, operator: null },
  })
  expect(readdirSync(out).sort()).toEqual(['report.html', 'report.json'])
  expect(parseReport(readFileSync(join(out, 'report.json'), 'utf8')).version).toBe(1)
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/^page .*"verdict".* end$/s)
  for (const told of ['exit rush', 'kill -9 store']) expect(shown).toContain(told)
  expect(printed.join('\n')).toContain(join(out, 'report.html'))
})

test('with --json, standard output is one line, and the people read on the other', async () => {
  const { printed, shown, out } = await run(makeStormReport({ verdict: 'failed' }), ['--json'])
  expect(printed).toHaveLength(1)
  expect(JSON.parse(printed[0] ?? '')).toMatchObject({
    verdict: 'failed',
    seed: expect.any(Number),
    objectives: expect.any(Array),
    totals: { viewers: expect.any(Number) },
    files: { html: join(out, 'report.html'), json: join(out, 'report.json') },
  })
  expect(shown).toContain('Failed')
})

test('a page that does not build costs no run: nobody is asked anything before it is there', async () => {
  const before = asked
  const broken = async (): Promise<string> => {
    await Bun.sleep(50)
    throw new Error('the page is broken')
  }
  await expect(run(makeStormReport(), [], broken)).rejects.toThrow('the page is broken')
  expect(asked).toBe(before)
})

test('two reports side by side, by file or by directory; what is none is refused by name', async () => {
  const { out } = await run(makeStormReport())
  const lines: string[] = []
  const terminal = { print: (line: string) => void lines.push(line), complain: () => {}, showProgress: null }
  expect(await compareCommand({ files: [out, join(out, 'report.json')], json: false }, terminal)).toBe(0)
  expect(lines.join('\n')).toContain('verdict')
  const failure = compareCommand({ files: [out, join(out, 'report.html')], json: false }, terminal)
  await expect(failure).rejects.toThrow('report.html')
})
