import { afterEach, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseConfig } from '../src/contracts/index.ts'
import { createStoreClient } from '../src/engines/store/index.ts'
import { createPublisher } from '../src/hub/index.ts'
import { createShortId, DEFAULT_LIMITS, silentLogger } from '../src/kernel/index.ts'
import { start as startCell } from '../src/roles/cell.ts'
import type { RoleContext, RoleName, StartRole } from '../src/roles/context.ts'
import { start as startEdge } from '../src/roles/edge.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { start as startStore } from '../src/roles/store.ts'
import { eventually } from '../test/e2e/platform.ts'
import { createFilm } from '../test/fixtures/film.ts'
import { medianOf } from './first-frame.ts'
import { spawnOpenLoop } from './play.ts'
import { toJson, toTable } from './report.ts'
import { findLostSessions } from './sessions.ts'
import { writeTokens } from './tokens.ts'

const PATH_KEYS = { current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64url') } }

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Store, one cell and the edge in this process, with a title that can be played. */
async function startSmallPlatform() {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  closers.push(() => rmSync(home, { recursive: true, force: true }))
  const layout = layoutOf(home)
  mkdirSync(layout.socketDirectory, { recursive: true })
  mkdirSync(dirname(layout.viewerKeyFile), { recursive: true })
  const viewerKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JsonWebKey
  writeFileSync(layout.viewerKeyFile, JSON.stringify(viewerKey))
  const contextOf = (role: RoleName): RoleContext => ({
    name: role,
    role,
    cell: role === 'cell' ? 'a' : null,
    port: 0,
    config: parseConfig({ home, cells: [{ name: 'a' }], limits: { drainMs: 1_000 } }),
    layout,
    logger: silentLogger,
    version: '0.0.0',
    viewerKey,
    pathKeys: () => PATH_KEYS,
    operatorToken: null,
    metricsToken: null,
    watchUrl: null,
  })
  const run = async (role: RoleName, start: StartRole) => {
    const running = await start(contextOf(role))
    closers.push(() => running.drain())
    return running
  }
  await run('store', startStore)
  const store = createStoreClient({ path: layout.storeSocket, limits: DEFAULT_LIMITS, logger: silentLogger })
  closers.push(() => store.close())
  const titleId = createShortId()
  const film = createFilm(titleId)
  await createPublisher({ log: store.log, source: 'test' }).publishMany([...film.first(), ...film.rest()])
  const cell = await run('cell', startCell)
  await eventually('the cell to be well', async () => (await cell.health()).faults.length === 0)
  const edge = await run('edge', startEdge)
  const port = edge.port ?? 0
  const path = `http://127.0.0.1:${port}/v1/openapi.json`
  await eventually('the edge to reach the cell', async () => (await fetch(path)).status === 200)
  return { home, layout, port, titleId, log: store.log }
}

test('an open loop through edge, cell and store: no errors, and every acknowledged session is on the log', async () => {
  const { home, layout, port, titleId, log } = await startSmallPlatform()
  const [tokensFile, journalFile] = [join(home, 'tokens'), join(home, 'journal')]
  writeTokens({ viewerKeyFile: layout.viewerKeyFile, file: tokensFile, count: 200, cell: 'a', country: 'DE' })
  const result = await spawnOpenLoop({
    port,
    titleId,
    tokensFile,
    journalFile,
    tokensFrom: 50,
    ratePerSecond: 400,
    durationMs: 1_000,
    warmUpMs: 0,
    connections: 16,
    patienceMs: 10_000,
  })
  expect(result).toMatchObject({ sent: 400, acknowledged: 400, errors: {} })
  expect(result.p50Ms).toBeGreaterThan(0)
  expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms)
  expect(result.maxMs).toBeGreaterThanOrEqual(result.p999Ms)
  expect(await findLostSessions(log, journalFile)).toEqual({ acknowledged: 400, lost: [] })
  writeFileSync(journalFile, `${readFileSync(journalFile, 'utf8')}never-happened\n`)
  expect(await findLostSessions(log, journalFile)).toEqual({ acknowledged: 401, lost: ['never-happened'] })
}, 30_000)

test('refusals are errors, not latencies of success', async () => {
  const { home, port } = await startSmallPlatform()
  const tokensFile = join(home, 'tokens')
  writeFileSync(tokensFile, 'no.token.atall\n')
  const result = await spawnOpenLoop({
    port,
    titleId: createShortId(),
    tokensFile,
    journalFile: join(home, 'journal'),
    tokensFrom: 0,
    ratePerSecond: 100,
    durationMs: 200,
    warmUpMs: 0,
    connections: 2,
    patienceMs: 5_000,
  })
  expect(result).toMatchObject({ sent: 20, acknowledged: 0, errors: { 401: 20 } })
}, 30_000)

test('the report: one JSON object with the bench first, and a table', () => {
  const result = {
    rows: [{ metric: 'm', ours: 10, peer: 'nginx', theirs: 5, ratio: 2, unit: 'req/s', detail: { p50: 1.5 } }],
    missing: [{ metric: 'n', why: 'no wrk' }],
  }
  const json = JSON.parse(toJson('play', result)) as Record<string, unknown>
  expect(Object.keys(json)).toEqual(['bench', 'at', 'machine', 'rows', 'missing'])
  expect(json).toMatchObject({ bench: 'play', ...result })
  expect(toTable('play', result).split('\n')).toEqual([
    'play',
    'm  10  req/s  nginx 5 (2.00x)  p50 1.50',
    'n: not measured: no wrk',
  ])
})

test('the median', () => {
  expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5])
})

test.each([[[]], [['nothing']], [['play', '--jsn']], [['play', 'play']]])('bench %j is a usage error', async (args) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'run.ts'), ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  expect([await child.exited, await new Response(child.stderr).text()]).toEqual([
    2,
    expect.stringContaining('usage: npm run bench'),
  ])
})
