import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { admitsAddress, coversPath, formatNetwork, verifyPathToken } from '../../contracts/index.ts'
import type { Fault } from '../../kernel/index.ts'
import { type PathKeyInfo, readPathKeysFile, toPathKeys } from '../../roles/index.ts'
import { UsageError } from '../usage.ts'
import { keys } from './keys.ts'

let directory = ''
let file = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-keys-'))
  file = join(directory, 'keys.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const terminal = { print, complain: print, showProgress: null }
  expect(await keys({ args, environment: { TENTPOLE_HOME: join(directory, 'nothing') }, terminal })).toBe(0)
  return lines
}

const faultOf = (...args: string[]): Promise<Fault> =>
  run(...args).catch((error: unknown) => error as Fault) as Promise<Fault>
const listed = async (): Promise<PathKeyInfo[]> => JSON.parse((await run('list', '--file', file, '--json'))[0] ?? '')
const check = async (token: string, nowMs = Date.now()) =>
  verifyPathToken(toPathKeys(await readPathKeysFile(file), nowMs), token, nowMs)

describe('keys for the edge alone', () => {
  test('are made once, sign, and are shown without their secrets', async () => {
    const shown = await run('create', file)
    const [token = ''] = await run('sign', '--file', file, '--prefix', '/films/x/')
    const verified = await check(token)
    expect(verified.ok && coversPath(verified.token, '/films/x/0.m4s')).toBe(true)
    expect(verified.ok && verified.token.network).toBeNull()
    expect(await check(token, Date.now() + 3_595_000)).toMatchObject({ ok: true })
    expect(await check(token, Date.now() + 3_602_000)).toMatchObject({ ok: false })
    const [key] = (await readPathKeysFile(file)).keys
    const said = [...shown, ...(await run('list', '--file', file))].join('\n')
    expect(said).toContain(key?.id ?? 'no key')
    expect(said).not.toContain(key?.secret ?? '')
    expect((await faultOf('create', file)).code).toBe('path-keys-exist')
    expect(await check(token)).toMatchObject({ ok: true })
  })

  test('sign for a session, a time and a network', async () => {
    await run('create', file)
    const wanted = ['--prefix', '/a.mp4', '--for', '30s', '--session', 's-1', '--network', '2001:DB8::/32']
    const [token = ''] = await run('sign', '--file', file, ...wanted)
    const verified = await check(token)
    if (!verified.ok) throw new Error(verified.code)
    const { sessionId, prefix, network, expiresAtS } = verified.token
    expect([sessionId, prefix, network && formatNetwork(network)]).toEqual(['s-1', '/a.mp4', '2001:db8::/32'])
    expect(Math.abs(expiresAtS * 1000 - Date.now() - 30_000)).toBeLessThan(3_000)
    expect(admitsAddress(verified.token, '2001:db9::1')).toBe(false)
  })

  test('rotate: the next one waits for its lead, the old one verifies on; at once, it does not', async () => {
    await run('create', file)
    const [token = ''] = await run('sign', '--file', file, '--prefix', '/')
    await run('rotate', '--file', file, '--lead', '10m', '--overlap', '2h')
    const [old, next] = await listed()
    expect([old?.state, next?.state]).toEqual(['signs', 'next'])
    expect((next?.signsFromMs ?? 0) - (next?.createdAtMs ?? 0)).toBe(600_000)
    expect((old?.verifiesUntilMs ?? 0) - (next?.signsFromMs ?? 0)).toBe(7_200_000)
    expect(await check(token)).toMatchObject({ ok: true })
    await run('rotate', '--file', file, '--now')
    expect((await listed()).map(({ state }) => state)).toEqual(['signs'])
    expect(await check(token)).toEqual({ ok: false, code: 'unknown-key' })
  })

  test('rotated by several at once, none is lost, and none that was dropped comes back', async () => {
    await run('create', file)
    await Promise.all(Array.from({ length: 5 }, () => run('rotate', '--file', file)))
    const before = (await listed()).map(({ id }) => id)
    expect(before).toHaveLength(6)
    const now = ['rotate', '--file', file, '--now']
    await Promise.all([run('rotate', '--file', file), run(...now), run('rotate', '--file', file)])
    expect((await listed()).filter(({ id }) => before.includes(id))).toEqual([])
  })

  test('are bounded in number, and one more changes nothing', async () => {
    await run('create', file)
    let fault: Fault | undefined
    for (let at = 0; at < 40 && fault === undefined; at += 1)
      fault = await run('rotate', '--file', file).then(
        () => undefined,
        (error: unknown) => error as Fault,
      )
    const before = readFileSync(file, 'utf8')
    expect(fault?.code).toBe('too-many-path-keys')
    expect((await faultOf('rotate', '--file', file)).code).toBe('too-many-path-keys')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })
})

const misused: readonly (readonly string[])[] = [
  [],
  ['forget'],
  ['constructor'],
  ['create'],
  ['sign'],
  ['sign', '--prefix', '/a/'],
  ['rotate', '--overlap', '1h'],
  ['rotate', '--now', '--lead', '1m', '--file', 'x'],
  ['rotate', '--file', 'x', '--lead', '1 hour'],
  ...['', 'films/', '/a/../b/', '/a~b/', '/é/', '/%41/'].map((prefix) => ['sign', '--file', 'x', '--prefix', prefix]),
  ...[
    ['--for', '0s'],
    ['--for', '1w'],
    ['--session', 'a~b'],
    ['--session', ''],
    ['--network', '192.0.2.7/24'],
  ].map((more) => ['sign', '--file', 'x', '--prefix', '/a/', ...more]),
]
test.each(misused.map((args) => ({ args })))('%p is explained', async ({ args }) => {
  expect(await faultOf(...args)).toBeInstanceOf(UsageError)
})

test('without a platform or a file, it is said which is missing', async () => {
  expect((await faultOf('list')).code).toBe('not-running')
  expect((await faultOf('rotate', '--now')).code).toBe('not-running')
  expect((await faultOf('list', '--file', file)).code).toBe('path-keys-invalid')
})
