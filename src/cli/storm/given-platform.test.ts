import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leftBehind } from '../../../test/fixtures/left-behind.ts'
import type { StaffTitle } from '../../contracts/index.ts'
import { describeError, faultCode } from '../../kernel/index.ts'
import { checkTarget } from '../../storm/index.ts'
import { createStaff, findPlatform, type Staff } from '../staff.ts'
import { type GivenPlatform, openGivenPlatform } from './given-platform.ts'
import { createOperator } from './operator.ts'
import { openOwnPlatform } from './own-platform.ts'

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
    say: () => {},
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

/** Its own, so that what others leave does not count; short, since sockets live below it. */
async function withTemporary(run: (temporary: string) => Promise<void>): Promise<void> {
  const before = process.env['TMPDIR']
  const temporary = mkdtempSync('/tmp/s')
  process.env['TMPDIR'] = temporary
  try {
    await run(temporary)
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(temporary, { recursive: true, force: true })
  }
}

test('a second Ctrl-C leaves no scratch directory either', () =>
  withTemporary(async (temporary) => {
    const { kill } = await open()
    expect(readdirSync(temporary)).toHaveLength(1)
    kill()
    expect(readdirSync(temporary)).toEqual([])
  }))

test.skipIf(process.platform !== 'linux')(
  'what it published is withdrawn when it is closed, published or not; what was there before stays',
  () =>
    withTemporary(async (temporary) => {
      const own = await openOwnPlatform({
        scenario: {
          platform: { workers: 1, premiereMs: 2_000, titles: 0, titleMs: 1_000, diskBytes: null },
          operations: [],
        },
        logFile: join(directory, 'platform.log'),
        signal: new AbortController().signal,
        say: () => {},
      })
      try {
        const home = join(temporary, readdirSync(temporary)[0] ?? '', 'h')
        const told: string[] = []
        const given = await open({
          target: await checkTarget(own.stage.watchUrl),
          home,
          say: (line) => void told.push(line),
        })
        const { operator } = given.stage
        if (!operator) throw new Error('expected an operator')
        const never = new AbortController().signal
        await operator.publish('Storm film 1', 1_000, never)
        const gone = await operator.publish('Withdrawn by the storm', 1_000, never)
        await operator.withdraw(gone.id)
        const staff = await findPlatform({ TENTPOLE_HOME: home })
        const list = async (): Promise<string[]> =>
          (await staff.call<{ titles: StaffTitle[] }>('GET', '/api/titles')).titles
            .map(({ name, state }) => `${name}: ${state}`)
            .sort()
        const giveUp = new AbortController()
        const unfinished = operator.publish('Storm film 2', 60_000, giveUp.signal).catch((error: unknown) => error)
        while (!(await list()).some((line) => line.startsWith('Storm film 2'))) await Bun.sleep(5)
        giveUp.abort('enough')
        expect(await unfinished).toBe('enough')
        await given.close()
        expect(told).toEqual([])
        expect(await list()).toEqual([
          'Storm film 1: withdrawn',
          'Storm film 2: withdrawn',
          'The Premiere: published',
          'Withdrawn by the storm: withdrawn',
        ])
      } finally {
        await own.close()
      }
      expect(await leftBehind(temporary)).toEqual([])
    }),
  60_000,
)

test('films that cannot be withdrawn are named', async () => {
  const staff = createStaff({ home: directory, consoleUrl: `http://127.0.0.1:${server.port}`, token: 'x' })
  let calls = 0
  const failing: Staff = {
    ...staff,
    async call() {
      calls += 1
      if (calls > 1) throw new Error('control is gone')
      return JSON.parse('{"id":"0123456789abcdef"}')
    },
  }
  const film = join(directory, 'film.mp4')
  writeFileSync(film, 'no film')
  const operator = createOperator({ staff: failing, films: { make: async () => film } })
  const giveUp = new AbortController()
  const publishing = operator.publish('x', 1, giveUp.signal).catch(() => {})
  while (calls === 0) await Bun.sleep(1)
  giveUp.abort()
  await publishing
  expect(await operator.withdrawAll(AbortSignal.timeout(1_000))).toEqual(['0123456789abcdef'])
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
