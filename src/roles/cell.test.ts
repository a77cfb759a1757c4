import { afterEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFilm } from '../../test/fixtures/film.ts'
import { parseConfig } from '../contracts/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { createPublisher } from '../hub/index.ts'
import { Fault, silentLogger } from '../kernel/index.ts'
import { createWireClient, decodeHttpResponse, encodeHttpRequest, type WireClient } from '../wire/index.ts'
import { start as startCell } from './cell.ts'
import type { RoleContext, RoleName, RunningRole } from './context.ts'
import { layoutOf } from './layout.ts'
import { start as startStore } from './store.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const ID = '0123456789abcdef'
const film = createFilm(ID)
const PATH_KEYS = { current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64url') } }
const VIEWER_KEY: JsonWebKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  // RFC 8037, appendix A.
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
}

function createHome(): (role: RoleName, cell?: string) => RoleContext {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-cell-'))
  closers.push(() => rmSync(home, { recursive: true, force: true }))
  const layout = layoutOf(home)
  mkdirSync(layout.socketDirectory, { recursive: true })
  return (role, cell) => ({
    name: cell ? `cell-${cell}` : role,
    role,
    cell: cell ?? null,
    port: 0,
    config: parseConfig({ home, limits: { drainMs: 2_000, logAppendTimeoutMs: 3_000 } }),
    layout,
    logger: silentLogger,
    version: '0.0.0',
    viewerKey: VIEWER_KEY,
    pathKeys: () => PATH_KEYS,
    operatorToken: null,
    metricsToken: null,
    watchUrl: null,
  })
}

async function run(role: Promise<RunningRole>): Promise<RunningRole> {
  const running = await role
  let drained = false
  const drain = async (): Promise<void> => {
    if (drained) return
    drained = true
    await running.drain()
  }
  closers.push(drain)
  return { ...running, drain }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so within 5 s: ${condition}`)
    await Bun.sleep(5)
  }
}

const isHealthy = async (role: RunningRole): Promise<boolean> => (await role.health()).faults.length === 0

function dial(context: RoleContext): WireClient {
  const client = createWireClient({ path: context.layout.cellSocket('a'), limits: context.config.limits })
  closers.push(() => client.close())
  return client
}

/** As an edge asks: a GET, or with a body a POST of it. */
async function ask(
  client: WireClient,
  path: string,
  options: { body?: unknown; headers?: [string, string][]; token?: string; signal?: AbortSignal } = {},
) {
  const { body, headers = [], token, signal } = options
  const payload = encodeHttpRequest({
    method: body === undefined ? 'GET' : 'POST',
    path,
    headers: [
      ...headers,
      ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
      ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
    ],
    body: body === undefined ? null : Buffer.from(JSON.stringify(body)),
  })
  const answer = decodeHttpResponse(await client.call(payload, signal ? { signal } : {}))
  const text = Buffer.from(answer.body).toString()
  return {
    ...answer,
    headers: Object.fromEntries(answer.headers),
    text,
    json: text.startsWith('{') ? JSON.parse(text) : null,
  }
}

test('a cell serves once its catalogue is there, goes on without the store, and takes up again with it', async () => {
  const contextOf = createHome()
  const context = contextOf('cell', 'a')
  const cell = await run(startCell(context))
  expect((await cell.health()).faults.join()).toContain('the store is not connected')
  expect((await cell.health()).faults.join()).toContain('the catalogue is not caught up')

  const store = await run(startStore(contextOf('store')))
  const writer = createStoreClient({
    path: context.layout.storeSocket,
    limits: context.config.limits,
    logger: silentLogger,
  })
  closers.push(() => writer.close())
  await createPublisher({ log: writer.log, source: 'test' }).publishMany([...film.first(), ...film.rest()])
  await until(() => isHealthy(cell))

  const edge = dial(context)
  const session = await ask(edge, '/v1/session', { body: { country: 'US', tier: 'free', platform: 'web' } })
  const token = session.json.token as string
  await until(async () => (await ask(edge, '/v1/home', { token })).json.hero?.state === 'published')
  const play = () => ask(edge, '/v1/playback', { token, body: { titleId: ID } })
  expect((await play()).json).toMatchObject({ durationMs: 60_060 })

  await store.drain()
  await until(async () => !(await isHealthy(cell)))
  expect((await ask(edge, '/v1/home', { token })).json.hero.id).toBe(ID)
  const headers: [string, string][] = [['x-tentpole-session', 's']]
  expect((await ask(edge, `/_media/${ID}/main.m3u8`, { headers })).text).toContain('v720.m3u8')
  expect((await ask(edge, `/_media/${ID}/v240/3.m4s`, { headers })).headers['x-tentpole-object']).toEndWith('/3.m4s')

  const waiting = play()
  await run(startStore(contextOf('store')))
  expect((await waiting).status).toBe(200)
  await until(() => isHealthy(cell))
  const sessions = await writer.log.read({ topic: 'sessions', from: 0, max: 10 })
  expect(sessions.map((record) => record.key)).toContain((await waiting).json.sessionId)
})

test('a drain ends what is held, and takes no new calls', async () => {
  const contextOf = createHome()
  const context = contextOf('cell', 'a')
  await run(startStore(contextOf('store')))
  const writer = createStoreClient({
    path: context.layout.storeSocket,
    limits: context.config.limits,
    logger: silentLogger,
  })
  closers.push(() => writer.close())
  await createPublisher({ log: writer.log, source: 'test' }).publishMany(film.first())
  const cell = await run(startCell(context))
  await until(() => isHealthy(cell))
  const edge = dial(context)
  const held = ask(edge, `/_media/${ID}/v240/20.m4s`, { headers: [['x-tentpole-session', 's']] })
  await until(async () => (await writer.log.read({ topic: 'media', from: 0, max: 1 })).length === 1)
  const startedAt = performance.now()
  const drained = cell.drain()
  expect((await held).json.code).toBe('segment-not-ready')
  await drained
  expect(performance.now() - startedAt).toBeLessThan(1_500)
})

test('a cell without its keys does not start', async () => {
  const context = createHome()('cell', 'a')
  const error = await startCell({ ...context, viewerKey: null, pathKeys: null }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(Fault)
  expect((error as Fault).message).toContain('viewerKey, pathKeys')
})
