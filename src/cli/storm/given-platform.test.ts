import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError, faultCode } from '../../kernel/index.ts'
import { checkTarget } from '../../storm/index.ts'
import { type GivenPlatform, openGivenPlatform } from './given-platform.ts'

const HERO = '88sakjgw5pspz3d8'
const directory = mkdtempSync(join(tmpdir(), 'storm-given-'))
let server: ReturnType<typeof Bun.serve>
let isHealthy = true
const hostsSeen: (string | null)[] = []

beforeAll(() => {
  const card = {
    id: HERO,
    name: 'x',
    description: '',
    durationMs: 1,
    posterUrl: null,
    state: 'published',
    createdAtMs: 1,
    resumeMs: null,
  }
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url)
      hostsSeen.push(request.headers.get('host'))
      if (!isHealthy) return new Response('no', { status: 503 })
      if (pathname === '/healthz') return Response.json({ status: 'ok', version: '9.9.9' })
      if (pathname === '/v1/session')
        return Response.json({ viewerId: 'v', token: 't', expiresAtMs: 1, cell: 'a' }, { status: 201 })
      return Response.json({ hero: card, rails: [] })
    },
  })
})
afterAll(async () => {
  await server.stop(true)
  rmSync(directory, { recursive: true, force: true })
})

async function open(more: Partial<GivenPlatform> = {}): ReturnType<typeof openGivenPlatform> {
  const target = await checkTarget(`http://localhost:${server.port}`)
  const environment = { TENTPOLE_HOME: join(directory, 'nobody') }
  return await openGivenPlatform({
    target,
    home: undefined,
    consoleUrl: undefined,
    operatorTokenFile: undefined,
    environment,
    ...more,
  })
}

/** A home whose running platform says it listens there. */
function makeHome(name: string, watchPort: number): string {
  const home = join(directory, name)
  mkdirSync(home)
  const urls = { watch: `http://localhost:${watchPort}`, console: 'http://localhost:1' }
  const runtime = { pid: process.pid, version: '1', startedAtMs: 1, ports: { watch: watchPort, console: 1 }, urls }
  writeFileSync(join(home, 'runtime.json'), JSON.stringify(runtime))
  writeFileSync(join(home, 'operator.token'), 'secret\n')
  return home
}

test('seen as viewers see it: the hero is the premiere, nothing inside, no operator', async () => {
  const { stage, close } = await open()
  expect(stage).toEqual({
    watchUrl: `http://127.0.0.1:${server.port}`,
    premiereId: HERO,
    startedByStorm: false,
    version: '9.9.9',
    inside: null,
    operator: null,
  })
  // The address that was checked, under the name that was given.
  expect(new Set(hostsSeen)).toEqual(new Set([`localhost:${server.port}`]))
  await close()
})

test('its home gives what is inside and an operator; the environment names it as well', async () => {
  const home = makeHome('home', server.port ?? 0)
  for (const how of [{ home }, { environment: { TENTPOLE_HOME: home } }]) {
    const { stage, close } = await open(how)
    expect(stage.inside?.layout.home).toBe(home)
    expect(stage.operator).not.toBeNull()
    await close()
  }
})

test("a home that was named must be the target's; one that is only the default may be another", async () => {
  const home = makeHome('other', 1)
  expect(faultCode(await open({ home }).catch((error) => error))).toBe('home-not-running')
  expect(faultCode(await open({ home: join(directory, 'none') }).catch((error) => error))).toBe('home-not-running')
  const { stage, close } = await open({ environment: { TENTPOLE_HOME: home } })
  expect(stage.inside).toBeNull()
  await close()
})

test('a console and a token give an operator alone; a token that is not there is told', async () => {
  const token = join(directory, 'token')
  writeFileSync(token, 'secret')
  const consoleUrl = 'http://localhost:1'
  const { stage, close } = await open({ consoleUrl, operatorTokenFile: token })
  expect([stage.inside, stage.operator === null]).toEqual([null, false])
  await close()
  const failure = await open({ consoleUrl, operatorTokenFile: '/nowhere' }).catch((error) => error)
  expect(describeError(failure)).toContain('/nowhere')
})

test('what does not answer viewers is no target, and nothing is left of the attempt', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('storm-')).length
  isHealthy = false
  try {
    expect(faultCode(await open().catch((error) => error))).toBe('target-not-tentpole')
  } finally {
    isHealthy = true
  }
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('storm-')).length).toBeLessThanOrEqual(before)
})
