import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROJECT } from '../configuration.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'
import { edge } from './edge.ts'
import { keys } from './keys.ts'

const terminal: Terminal = { print: () => {}, complain: () => {}, showProgress: null }
const run = (line: string): Promise<number> =>
  edge({ args: line.split(' ').filter(Boolean), environment: {}, terminal })

const refused: readonly (readonly [string, string])[] = [
  ['', '--origin'],
  ['--origin http://127.0.0.1:1', '--listen'],
  ['--origin http://127.0.0.1:1 --listen 70000', '--listen'],
  ['--origin http://127.0.0.1:1 --listen 0 --memory none', '--memory'],
  ['--origin http://127.0.0.1:1 --listen 0 --public /x/', '--path-keys'],
  ['--origin http://127.0.0.1:1 --listen 0 --path-keys x --public art/', '--public'],
  ['--origin http://127.0.0.1:1 --listen 0 --path-keys x --public /a/../b/', '--public'],
  ['--origin http://127.0.0.1:1 --listen 0 --path-keys x --public //', '--public'],
  ['--origin http://127.0.0.1:1 --listen 0 --path-keys x --public /%61rt/', '--public'],
  ['--origin http://127.0.0.1:1 --listen 0 --admin 0', '--admin-token'],
  ['--origin http://127.0.0.1:1 --listen 0 --admin 0 --admin-token /nowhere/token', 'cannot be read'],
  ['--origin http://127.0.0.1:1 --listen 0 --admin 0 --admin-token /dev/null', '20 or more'],
]
for (const [line, told] of refused)
  test(`edge ${line} is refused`, () => {
    expect(run(line)).rejects.toThrow(UsageError)
    expect(run(line)).rejects.toThrow(told)
  })

test('an origin that cannot be one is said so', () => {
  expect(run('--origin ftp://example.org --listen 0')).rejects.toThrow('expected a URL of http or https')
})

/** The verb in a process of its own, and an origin that counts what it is asked. */
async function start(...args: string[]) {
  let asked = 0
  const origin = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch() {
      asked += 1
      return new Response('film', { headers: { 'cache-control': 'max-age=9', 'surrogate-key': 'x' } })
    },
  })
  const child = Bun.spawn(
    [
      ...[process.execPath, '--no-install', join(PROJECT, 'src/cli/main.ts'), 'edge'],
      ...['--origin', `http://127.0.0.1:${origin.port}`, '--listen', '0', ...args],
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  )
  closers.push(async () => {
    child.kill('SIGKILL')
    await child.exited
    await origin.stop(true)
  })
  let printed = ''
  const reader = child.stdout.getReader()
  const expected = args.includes('--admin') ? /^admin {2}/m : /^ready {2}/m
  while (!expected.test(printed)) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`it ended: ${printed}`)
    printed += new TextDecoder().decode(value)
  }
  const find = (name: string): string => new RegExp(`^${name} {2}(?:edge )?(\\S+)$`, 'm').exec(printed)?.[1] ?? ''
  return { child, url: find('ready').replace('localhost', '127.0.0.1'), admin: find('admin'), asked: () => asked }
}

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

test('tentpole edge serves an origin until it is told to stop', async () => {
  const { url, child } = await start()
  expect(await (await fetch(`${url}/a`)).text()).toBe('film')
  expect((await fetch(`${url}/a`)).headers.get('cache-status')).toStartWith('tentpole; hit')
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
}, 20_000)

test('with keys it serves signed addresses; who has the token reads its metrics and purges; its access log tells no token', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-verb-'))
  closers.push(async () => rmSync(directory, { recursive: true, force: true }))
  const [keysFile, tokenFile, logFile] = ['keys.json', 'token', 'log'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const adminToken = 'a'.repeat(24)
  writeFileSync(tokenFile, `${adminToken}\n`)
  const printed: string[] = []
  const told: Terminal = { ...terminal, print: (line) => printed.push(line) }
  expect(await keys({ args: ['create', keysFile], environment: {}, terminal: told })).toBe(0)
  printed.length = 0
  await keys({ args: ['sign', '--file', keysFile, '--prefix', '/films/x/'], environment: {}, terminal: told })
  const token = printed.join('').trim()
  const { url, admin, asked, child } = await start(
    ...[
      '--path-keys',
      keysFile,
      '--public',
      '/art/',
      '--public',
      '/~logo',
      '--access-log',
      logFile,
      '--admin',
      '0',
      '--admin-token',
      tokenFile,
    ],
  )
  const statusOf = async (path: string) => (await fetch(`${url}${path}`)).status
  expect([await statusOf(`/v/${token}/films/x/1`), await statusOf('/art/1'), await statusOf('/films/x/1')]).toEqual([
    200, 200, 403,
  ])
  for (const path of ['/art', '/artsecret', '/~logo.png', '/~logo/1']) expect(await statusOf(path)).toBe(403)
  const authorization = `Bearer ${adminToken}`
  expect((await fetch(`${admin}/metrics`)).status).toBe(401)
  const metrics = await (await fetch(`${admin}/metrics`, { headers: { authorization } })).text()
  expect(metrics).toMatch(/^tentpole_edge_requests_total\{.*cache="miss".*\} 2$/m)
  const purge = await fetch(`${admin}/purges`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify({ scope: 'tag', value: 'x' }),
  })
  expect(await purge.json()).toEqual({ dropped: 2 })
  expect([await statusOf(`/v/${token}/films/x/1`), asked()]).toEqual([200, 3])
  child.kill('SIGTERM')
  expect(await child.exited).toBe(0)
  const lines = readFileSync(logFile, 'utf8')
  expect(lines).toContain('"path":"/v/*/films/x/1"')
  expect(lines).not.toContain(token)
}, 20_000)
