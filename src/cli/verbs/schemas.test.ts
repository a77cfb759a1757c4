import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultCode } from '../../kernel/index.ts'
import { UsageError } from '../usage.ts'
import { schemas } from './schemas.ts'

const directory = mkdtempSync(join(tmpdir(), 'tentpole-schemas-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const TYPE = 'com.example.order.v1'
const ZOD = import.meta.resolve('zod')
let modules = 0

async function run(...args: string[]): Promise<{ code: number; lines: string[]; complaints: string[] }> {
  const lines: string[] = []
  const complaints: string[] = []
  const terminal = {
    print: (line: string) => void lines.push(line),
    complain: (line: string) => void complaints.push(line),
    showProgress: null,
  }
  const code = await schemas({ args, environment: {}, terminal })
  return { code, lines, complaints }
}

/** A new file each time: a module is imported once. */
function writeModule(events: string): string {
  modules += 1
  const file = join(directory, `hub-${modules}.ts`)
  writeFileSync(file, `import { z } from '${ZOD}'\nexport default { events: ${events} }\n`)
  return file
}
const orderOf = (fields: string): string => writeModule(`{ '${TYPE}': { topic: 'orders', data: z.object(${fields}) } }`)

test("the platform's own events are as they were committed", async () => {
  const { code, lines } = await run('check')
  expect(code).toBe(0)
  expect(lines.filter((line) => !line.endsWith(': same'))).toEqual([])
  expect(lines).toContain('tentpole.title.playable.v1: same')
})

test('new, same, compatible and incompatible events of a hub module; what is incompatible is never written', async () => {
  const baseline = join(directory, 'schemas')
  const file = join(baseline, `${TYPE}.json`)
  const first = orderOf('{ count: z.int() }')
  expect(await run('check', '--module', first)).toEqual({ code: 0, lines: [`${TYPE}: new`], complaints: [] })
  expect(await run('check', '--module', first, '--write')).toEqual({
    code: 0,
    lines: [`${TYPE}: new`, `1 written to ${baseline}`],
    complaints: [],
  })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ title: TYPE, required: ['count'] })
  expect((await run('check', '--module', first)).lines).toEqual([`${TYPE}: same`])

  const more = orderOf('{ count: z.int(), note: z.string().optional() }')
  expect(await run('check', '--module', more, '--baseline', baseline, '--write')).toEqual({
    code: 0,
    lines: [`${TYPE}: compatible`, `1 written to ${baseline}`],
    complaints: [],
  })
  const written = readFileSync(file, 'utf8')

  const { code, lines, complaints } = await run('check', '--module', orderOf('{ count: z.string() }'), '--write')
  expect(code).toBe(1)
  expect(lines).toEqual([
    `${TYPE}: incompatible: /data/count retyped: was integer, is now string`,
    `${TYPE}: incompatible: /data/note field-removed: readers rely on it`,
    `0 written to ${baseline}`,
  ])
  expect(complaints.join()).toContain('make a new version')
  expect(readFileSync(file, 'utf8')).toBe(written)

  const gone = await run('check', '--module', writeModule('{}'))
  expect(gone.code).toBe(1)
  expect(gone.lines.join()).toStartWith(`${TYPE}: removed: `)
})

test('what is no command, no module or no definition is refused', async () => {
  const codeOf = async (...args: string[]): Promise<string> => {
    try {
      await run('check', '--module', ...args)
      return 'none'
    } catch (error) {
      return faultCode(error)
    }
  }
  await expect(run()).rejects.toBeInstanceOf(UsageError)
  await expect(run('list')).rejects.toBeInstanceOf(UsageError)
  await expect(run('check', '--all')).rejects.toBeInstanceOf(UsageError)
  expect(await codeOf(join(directory, 'none.ts'))).toBe('file-unreadable')
  expect(await codeOf(writeModule('3'))).toBe('registry-invalid')
  expect(await codeOf(writeModule(`{ '${TYPE}': null }`))).toBe('registry-invalid')
  expect(await codeOf(writeModule(`{ '${TYPE}': {} }`))).toBe('registry-invalid')
  expect(await codeOf(writeModule(`{ 'tentpole.title.failed.v1': { topic: 'x', data: z.object({}) } }`))).toBe(
    'registry-invalid',
  )
})
