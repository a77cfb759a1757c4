import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { PROJECT } from '../configuration.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'
import { edge } from './edge.ts'

const terminal: Terminal = { print: () => {}, complain: () => {}, showProgress: null }
const run = (line: string): Promise<number> =>
  edge({ args: line.split(' ').filter(Boolean), environment: {}, terminal })

const refused: readonly (readonly [string, string])[] = [
  ['', '--origin'],
  ['--origin http://127.0.0.1:1', '--listen'],
  ['--origin http://127.0.0.1:1 --listen 70000', '--listen'],
  ['--origin http://127.0.0.1:1 --listen 0 --memory none', '--memory'],
]
for (const [line, told] of refused)
  test(`edge ${line} is refused`, () => {
    expect(run(line)).rejects.toThrow(UsageError)
    expect(run(line)).rejects.toThrow(told)
  })

test('an origin that cannot be one is said so', () => {
  expect(run('--origin ftp://example.org --listen 0')).rejects.toThrow('expected a URL of http or https')
})

test('tentpole edge serves an origin until it is told to stop', async () => {
  const origin = Bun.serve({
    port: 0,
    fetch: () => new Response('film', { headers: { 'cache-control': 'max-age=9' } }),
  })
  const child = Bun.spawn(
    [
      process.execPath,
      '--no-install',
      join(PROJECT, 'src/cli/main.ts'),
      'edge',
      '--origin',
      `http://127.0.0.1:${origin.port}`,
      '--listen',
      '0',
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  )
  try {
    const { value } = await child.stdout.getReader().read()
    const url = /^ready {2}edge (\S+)$/m.exec(new TextDecoder().decode(value))?.[1] ?? ''
    expect(await (await fetch(`${url}/a`)).text()).toBe('film')
    expect((await fetch(`${url}/a`)).headers.get('cache-status')).toStartWith('tentpole; hit')
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await origin.stop(true)
  }
}, 20_000)
