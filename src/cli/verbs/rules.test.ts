import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'
import { UsageError } from '../usage.ts'
import { rules } from './rules.ts'

const directory = mkdtempSync(join(tmpdir(), 'tentpole-rules-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  const code = await rules({ args, environment: {}, terminal: { print, complain: print, showProgress: null } })
  return { code, lines }
}

function write(...lines: readonly (object | string)[]): string {
  const file = join(directory, `${crypto.randomUUID()}.jsonl`)
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return file
}

const event = { source: 'film', detail: { size: 3 } }
const agreeing = [
  { name: 'source', pattern: { source: ['film'] }, event, expect: 'match' },
  { name: 'size', pattern: { detail: { size: [{ numeric: ['>', 3] }] } }, event, expect: 'no' },
  { name: 'bare', pattern: { source: 'film' }, event, expect: 'error' },
]

test('lines that all agree are counted, and empty ones are not', async () => {
  expect(await run('test', write(...agreeing, '', ''))).toEqual({ code: 0, lines: ['3 agree, 0 disagree'] })
})

test('each disagreement is said with its line, and makes the exit code 1', async () => {
  const file = write(
    ...agreeing,
    { name: 'other', pattern: { source: ['song'] }, event, expect: 'match' },
    { name: 'refused', pattern: { source: [] }, event, expect: 'no' },
  )
  expect(await run('test', file)).toEqual({
    code: 1,
    lines: [
      'line 4: other: expected match, got no',
      'line 5: refused: expected no, got error (pattern-empty: source: expected at least one value, got [])',
      '3 agree, 2 disagree',
    ],
  })
})

const bad: readonly (readonly [object | string, string])[] = [
  ['{"name":', 'line 2: expected a JSON object, got {"name":'],
  ['[]', 'line 2: expected a JSON object, got []'],
  [{ pattern: {}, event, expect: 'no' }, 'line 2: name: expected a string, got nothing'],
  [{ name: 'x', event, expect: 'no' }, 'line 2: pattern: expected an event pattern, got nothing'],
  [{ name: 'x', pattern: {}, event, expect: 'yes' }, 'line 2: expect: expected one of match, no, error, got "yes"'],
  [{ name: 'x', pattern: {}, event: [], expect: 'no' }, 'line 2: event: expected a JSON object, got []'],
]
test.each(bad)('%j is told by its line', async (line, complaint) => {
  const file = write(agreeing[0] ?? '', line, agreeing[1] ?? '')
  expect(await run('test', file)).toEqual({ code: 1, lines: [complaint, '2 agree, 0 disagree'] })
})

test('what is no command or no file is refused', async () => {
  expect(run()).rejects.toBeInstanceOf(UsageError)
  expect(run('list')).rejects.toBeInstanceOf(UsageError)
  expect(run('test')).rejects.toBeInstanceOf(UsageError)
  expect(run('test', join(directory, 'none.jsonl'))).rejects.toBeInstanceOf(Fault)
})
