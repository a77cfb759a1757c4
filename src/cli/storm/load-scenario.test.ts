import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError } from '../../kernel/index.ts'
import { PROJECT } from '../configuration.ts'
import { UsageError } from '../usage.ts'
import { loadScenario } from './load-scenario.ts'

const directory = mkdtempSync(join(tmpdir(), 'storm-scenario-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function write(text: string, extension = 'ts'): string {
  files += 1
  const file = join(directory, `file-${files}.${extension}`)
  writeFileSync(file, text)
  return file
}
const load = (scenario: string, more: object = {}) =>
  loadScenario({ scenario, baselinePerSecond: null, trace: null, ...more })
const failure = (scenario: string, more: object = {}): Promise<unknown> => load(scenario, more).catch((error) => error)

test('one that is built in, with another baseline', async () => {
  expect(await load('store-down')).toMatchObject({ name: 'store-down', baselinePerSecond: 2 })
  expect(await load('store-down', { baselinePerSecond: 5 })).toMatchObject({ baselinePerSecond: 5 })
})

test('one from a file, checked like any other', async () => {
  const phases = `[{ name: 'x', durationMs: 1000, arrivals: 1 }]`
  const file = write(`export default { name: 'mine', baselinePerSecond: 1, phases: ${phases} }`)
  expect(await load(file)).toMatchObject({ name: 'mine', bounds: { viewersMax: 20_000 } })
  const broken = write(`export default { name: 'mine', baselinePerSecond: 1, phases: [], colour: 1 }`)
  expect(describeError(await failure(broken))).toMatch(/2 faults:[\s\S]*colour[\s\S]*phases/)
})

test('what is neither is refused by name', async () => {
  expect(await failure('tsunami')).toBeInstanceOf(UsageError)
  expect(describeError(await failure('tsunami'))).toContain('premiere, spike-50x')
  expect(describeError(await failure(write('export const x = 1')))).toContain('export default')
  expect(describeError(await failure(write('throw new Error("boom")')))).toContain('boom')
})

test('a baseline that breaks the bounds is refused', async () => {
  expect(describeError(await failure('premiere', { baselinePerSecond: 1_000 }))).toContain('bounds.viewersMax')
})

test('a trace takes the place of the phases', async () => {
  const rows = Array.from({ length: 60 }, (_, at) => `2026-01-01 00:${String(at).padStart(2, '0')}:00,${at + 1}`)
  const file = write(['period,count', ...rows].join('\n'), 'csv')
  const { phases } = await load('spike-50x', { trace: { file, minutes: 30 } })
  expect(phases).toHaveLength(29)
  expect(phases.at(-1)?.arrivals).toMatchObject({ to: 50 })
  expect(describeError(await failure('premiere', { trace: { file: '/nowhere.csv' } }))).toContain('/nowhere.csv')
})

test('the example in the documentation is one', async () => {
  const text = readFileSync(join(PROJECT, 'docs', 'storm.md'), 'utf8')
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(text) ?? []
  const file = write(example.replace("'./src/", `'${PROJECT}/src/`))
  expect(await load(file)).toMatchObject({ name: 'friday-night', platform: { workers: 2, titles: 5 } })
})
