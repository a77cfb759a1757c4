import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canMakeSmallDisk, parseReport } from '../../src/storm/index.ts'
import { scaledScenario } from '../storm/scaled.ts'
import { type Finished, PROJECT } from './platform.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-storm-cli-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function tentpole(...args: string[]): Promise<Finished> {
  const child = Bun.spawn(['node', join(PROJECT, 'bin', 'tentpole.mjs'), ...args], {
    cwd: directory,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}

test('tentpole storm starts a platform, fills its disk in mid-storm, says what came of it, and leaves nothing behind', async () => {
  const cannot = canMakeSmallDisk()
  // Where namespaces are refused the storm says so: that is tested with the fault.
  if (cannot !== null) return console.log(`skipped: ${cannot}`)
  const file = join(directory, 'disk.storm.ts')
  writeFileSync(file, `export default ${JSON.stringify(scaledScenario('disk-full', 0.3))}\n`)
  const out = join(directory, 'report')
  const { exitCode, stdout, stderr } = await tentpole(
    'storm',
    '--scenario',
    file,
    '--seed',
    '5',
    '--out',
    out,
    '--json',
  )
  const line = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { verdict: string; files: { json: string } }
  expect([line.verdict === 'passed' ? 0 : 1, stderr.includes('phase')]).toEqual([exitCode, true])
  const report = parseReport(readFileSync(line.files.json, 'utf8'))
  expect(report.repeat).toContain('--seed 5')
  const [fault] = report.faults
  expect([fault?.label, fault?.failure, fault?.recoveredAfterMs !== null]).toEqual(['disk full for 4.5 s', null, true])
  const broken = report.objectives.filter(({ unit, outcome }) => unit === 'count' && outcome === 'missed')
  expect(broken).toEqual([])
  const html = readFileSync(join(out, 'report.html'), 'utf8')
  expect(html).toContain('disk full for 4.5 s')

  const compared = await tentpole('storm', 'compare', line.files.json, line.files.json)
  expect([compared.exitCode, compared.stdout.includes('Home page, p99')]).toEqual([0, true])
}, 150_000)
