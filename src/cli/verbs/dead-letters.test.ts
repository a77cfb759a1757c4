import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { DeadLetter } from '../../contracts/index.ts'
import { type FakePlatform, problem, startFakePlatform } from '../events/testing.ts'
import { UsageError } from '../usage.ts'
import { deadLetters } from './dead-letters.ts'

let platform: FakePlatform
let letters: DeadLetter[]
beforeAll(() => {
  platform = startFakePlatform()
})
beforeEach(() => {
  platform.asked.splice(0)
  letters = Array.from({ length: 1_200 }, (_, n) => letter(`l${n}`))
  platform.answer = ({ method, path }) => (method === 'POST' ? settle(path) : listOrShow(path))
})
afterAll(() => platform.close())

function letter(id: string): DeadLetter {
  return {
    ...{ id, kind: 'delivery', name: 'mail', eventId: 'e', type: 'a.v1', key: 'k', position: 'a:0:1', code: 'refused' },
    ...{ reason: 'a\u001b[2Jb', path: '/data', attempts: 3, bytes: 2, firstFailedAtMs: 0, deadAtMs: 0, state: 'open' },
  }
}
function listOrShow(path: string): Response {
  const { pathname, searchParams } = new URL(path, 'http://x')
  const id = pathname.split('/')[4]
  if (id !== undefined)
    return Response.json({ ...letter(id), payload: '<script>\u001b]0;x\u0007\n{}', encoding: 'text' })
  const from = Number(searchParams.get('before') ?? 0)
  const to = from + Number(searchParams.get('max'))
  return Response.json({ deadLetters: letters.slice(from, to), next: to < letters.length ? String(to) : null })
}
function settle(path: string): Response {
  const [, id = '', how] = /dead-letters\/([^/]+)\/(\w+)$/.exec(path) ?? []
  if (id === 'l1') return problem(409, { code: 'dead-letter-settled', detail: 'It is discarded already.' })
  return Response.json({ id, state: how === 'redrive' ? 'redriven' : 'discarded' })
}

test('as many are listed as are asked for, over pages', async () => {
  const { printed, complained } = await platform.run(
    deadLetters,
    'list',
    '--max',
    '700',
    '--name',
    'mail',
    '--state',
    'open',
  )
  expect(printed).toHaveLength(701)
  expect(printed[1]).toContain('a\\u001b[2Jb')
  expect(complained[0]).toContain('--max')
  expect(platform.asked.map(({ path }) => path)).toEqual([
    '/hub/v1/dead-letters?max=500&state=open&name=mail',
    '/hub/v1/dead-letters?max=500&state=open&name=mail&before=500',
  ])
})

test('a payload of strangers does nothing to the terminal', async () => {
  const { printed } = await platform.run(deadLetters, 'show', 'l7')
  expect(printed.at(-1)).toBe('<script>\\u001b]0;x\\u0007\n{}')
  expect(printed.join('')).not.toContain('\u001b')
})

test('those named are settled one after the other; one that cannot be does not stop the others', async () => {
  const { exitCode, printed, complained } = await platform.run(deadLetters, 'discard', 'l0', 'l1', 'l2')
  expect([exitCode, printed]).toEqual([1, ['discarded  l0', 'discarded  l2']])
  expect(complained).toEqual(['tentpole: l1: It is discarded already.', '2 of 3 discarded'])
})

test('all are settled only when somebody says yes', async () => {
  letters = letters.slice(0, 1)
  const asked = await platform.run(deadLetters, 'redrive', '--all', '--name', 'mail')
  expect([asked.exitCode, asked.printed, platform.asked.some(({ method }) => method === 'POST')]).toEqual([
    1,
    [],
    false,
  ])
  const told = await platform.run(deadLetters, 'redrive', '--all', '--name', 'mail', '--yes')
  expect([told.exitCode, told.printed]).toEqual([0, ['redriven  l0']])
})

const wrong: readonly (readonly string[])[] = [
  ['redrive'],
  ['redrive', 'l0', '--all'],
  ['redrive', 'l0', '--name', 'mail'],
  ['discard', '--all', '--state', 'discarded'],
  ['list', '--state', 'lost'],
  ['list', '--max', '0'],
  ['show'],
]
test.each(wrong.map((args) => [args] as const))('%j is no command', async (args) => {
  expect(platform.run(deadLetters, ...args)).rejects.toBeInstanceOf(UsageError)
})
