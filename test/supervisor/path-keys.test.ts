import { afterEach, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PathKeys, signPathToken, verifyPathToken } from '../../src/contracts/index.ts'
import { DEFAULT_LIMITS, type Fault } from '../../src/kernel/index.ts'
import {
  layoutOf,
  PATH_KEY_CALLS,
  type PathKeyInfo,
  readPathKeysFile,
  type Supervisor,
  toPathKeys,
} from '../../src/roles/index.ts'
import { createWireClient } from '../../src/wire/index.ts'
import { makeHome, startPlatform, until } from './platform.ts'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const TAKERS = ['edge', 'cell-a', 'cell-b'] as const
const CLAIMS = { expiresAtS: 4_000_000_000, prefix: '/t/', sessionId: 's', cell: 'a', network: null }

async function start(config = {}) {
  const { home, remove } = makeHome()
  cleanups.push(remove)
  const { supervisor, lines } = await startPlatform(home, { media: { workers: 0 }, ...config })
  cleanups.push(async () => {
    supervisor.kill()
    await supervisor.finished
  })
  await supervisor.healthy
  const client = createWireClient({ path: layoutOf(home).supervisorSocket, limits: DEFAULT_LIMITS })
  cleanups.push(() => client.close())
  const call = async (what: string): Promise<PathKeyInfo[]> =>
    JSON.parse(Buffer.from(await client.call(Buffer.from(what), { timeoutMs: 3_000 })).toString()) as PathKeyInfo[]
  /** What a role has at this moment; null before it has said so, or while it says it. */
  const keysOf = (name: string): PathKeys | null => {
    try {
      return JSON.parse(readFileSync(join(home, `${name}.keys.json`), 'utf8')) as PathKeys
    } catch {
      return null
    }
  }
  return { home, supervisor, lines, call, keysOf }
}

function pidOf(supervisor: Supervisor, name: string): number {
  return supervisor.status().roles.find((role) => role.name === name)?.pid ?? 0
}

test('a rotation reaches every edge before a cell signs, and playing goes on through it', async () => {
  const limits = { pathKeyLeadMs: 400, pathTokenTtlMs: 250, pathTokenGraceMs: 1, heartbeatPeriodMs: 100 }
  const { home, supervisor, lines, call, keysOf } = await start({ limits })
  await until('roles have keys', () => TAKERS.every((name) => keysOf(name) !== null))
  const [old] = await call(PATH_KEY_CALLS.list)
  expect(old).toMatchObject({ state: 'signs', verifiesUntilMs: null })
  const oldId = old?.id ?? ''
  const before = signPathToken(keysOf('cell-a') as PathKeys, CLAIMS)

  const [, next] = await call(PATH_KEY_CALLS.rotate)
  const nextId = next?.id ?? ''
  expect(next?.state).toBe('next')
  await until('all know both keys', () => TAKERS.every((name) => Object.hasOwn(keysOf(name)?.keys ?? {}, nextId)))
  expect(TAKERS.map((name) => keysOf(name)?.current)).toEqual([oldId, oldId, oldId])
  expect(verifyPathToken(keysOf('edge') as PathKeys, before, 0).ok).toBe(true)

  await until('the new key signs', () => TAKERS.every((name) => keysOf(name)?.current === nextId))
  const after = signPathToken(keysOf('cell-b') as PathKeys, CLAIMS)
  const edge = keysOf('edge') as PathKeys
  expect([before, after].map((token) => verifyPathToken(edge, token, 0).ok)).toEqual([true, true])

  await until('the old key is retired', () =>
    TAKERS.every((name) => Object.keys(keysOf(name)?.keys ?? {}).length === 1),
  )
  expect(verifyPathToken(keysOf('edge') as PathKeys, before, 0)).toEqual({ ok: false, code: 'unknown-key' })
  expect(verifyPathToken(keysOf('edge') as PathKeys, after, 0).ok).toBe(true)

  const file = await readPathKeysFile(layoutOf(home).pathKeysFile)
  expect(toPathKeys(file, Date.now()).current).toBe(nextId)
  const said = lines.join('\n') + JSON.stringify(await call(PATH_KEY_CALLS.list))
  expect(file.keys.filter(({ secret }) => said.includes(secret))).toEqual([])
  const killed = pidOf(supervisor, 'edge')
  process.kill(killed, 'SIGKILL')
  await until('the edge is back', () => ![0, killed].includes(pidOf(supervisor, 'edge')))
  await until('it has the current key', () => keysOf('edge')?.current === nextId)
})

test('a rotation at once refuses what every earlier key signed', async () => {
  const { call, keysOf } = await start()
  await until('roles have keys', () => TAKERS.every((name) => keysOf(name) !== null))
  const before = signPathToken(keysOf('cell-a') as PathKeys, CLAIMS)
  await call(PATH_KEY_CALLS.rotate)
  const keys = await call(PATH_KEY_CALLS.rotateNow)
  expect(keys.map(({ state }) => state)).toEqual(['signs'])
  await until('all have the one key', () => TAKERS.every((name) => keysOf(name)?.current === keys[0]?.id))
  expect(TAKERS.map((name) => verifyPathToken(keysOf(name) as PathKeys, before, 0))).toEqual(
    TAKERS.map(() => ({ ok: false, code: 'unknown-key' })),
  )
})

test('keys of an earlier version’s file are used; more than may verify are refused and change nothing', async () => {
  const { home, remove } = makeHome()
  cleanups.push(remove)
  const layout = layoutOf(home)
  const secret = Buffer.alloc(32, 7).toString('base64url')
  mkdirSync(join(home, 'keys'), { recursive: true })
  writeFileSync(layout.pathKeysFile, JSON.stringify({ current: 'old', keys: { old: secret } }))
  const { supervisor } = await startPlatform(home, { media: { workers: 0 }, limits: { pathKeysMax: 2 } })
  cleanups.push(async () => {
    supervisor.kill()
    await supervisor.finished
  })
  await supervisor.healthy
  const client = createWireClient({ path: layout.supervisorSocket, limits: DEFAULT_LIMITS })
  cleanups.push(() => client.close())
  const rotate = () => client.call(Buffer.from(PATH_KEY_CALLS.rotate), { timeoutMs: 3_000 })
  await rotate()
  const file = await readPathKeysFile(layout.pathKeysFile)
  expect(file.keys.map(({ id }) => id)[0]).toBe('old')
  const refused = await rotate().catch((error: unknown) => error)
  expect((refused as Fault).code).toBe('too-many-path-keys')
  expect(await readPathKeysFile(layout.pathKeysFile)).toEqual(file)
})
