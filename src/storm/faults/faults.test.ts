import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlatformStatus, RoleStatus } from '../../contracts/index.ts'
import { layoutOf } from '../../roles/index.ts'
import { createRandom } from '../random.ts'
import type { Inside } from '../stage.ts'
import { createFaults } from './faults.ts'
import type { FaultMark, FaultPlan } from './plan.ts'
import { canMakeSmallDisk, insideOf, smallDiskCommand } from './small-disk.ts'

const SEED = Number(process.env['SEED'] ?? 11)
const directory = mkdtempSync(join(tmpdir(), 'storm-faults-'))
const toClose: (() => void | Promise<void>)[] = []
const refused = canMakeSmallDisk()

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Role = { name: string; role: RoleStatus['role']; restarts: number; child: Bun.Subprocess | null }

/** What a role's process does: nothing, or serve its socket. */
function programOf(home: string, name: string): string[] {
  if (name !== 'store' && !name.startsWith('cell-')) return ['sh', '-c', 'while :; do sleep 0.05; done']
  const layout = layoutOf(home)
  const path = name === 'store' ? layout.storeSocket : layout.cellSocket(name.slice(5))
  return [
    process.execPath,
    '-e',
    `require('node:fs').rmSync(${JSON.stringify(path)}, { force: true })
     Bun.serve({ unix: ${JSON.stringify(path)}, fetch: () => new Response(${JSON.stringify(name)}) })`,
  ]
}

/** Real processes under a supervisor of few words: what dies is started again after `backoffMs`. */
async function createPlatform(
  names: readonly string[],
  options: { backoffMs?: number; disk?: Inside['disk']; home?: string; watchUrl?: string } = {},
): Promise<{ stage: Inside; pidOf(name: string): number; role(name: string): Role }> {
  const { backoffMs = 20, disk = null } = options
  const home = options.home ?? mkdtempSync(join(directory, 'home-'))
  await Bun.write(join(layoutOf(home).socketDirectory, '.keep'), '')
  const roles = names.map(
    (name): Role => ({ name, role: name.split('-')[0] as Role['role'], restarts: -1, child: null }), // names of this file
  )
  let isOver = false
  const start = (role: Role): void => {
    if (isOver) return
    const child = Bun.spawn(programOf(home, role.name), {
      env: { PATH: process.env['PATH'], TENTPOLE_HOME: home },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    role.child = child
    role.restarts += 1
    void child.exited.then(() => {
      role.child = null
      setTimeout(start, backoffMs, role)
    })
  }
  for (const role of roles) start(role)
  toClose.push(async () => {
    isOver = true
    for (const { child } of roles) child?.kill('SIGKILL')
    await Promise.all(roles.map(({ child }) => child?.exited))
  })
  const layout = layoutOf(home)
  const toStatus = ({ name, role, restarts, child }: Role): RoleStatus => ({
    ...{ name, role, restarts, sinceMs: 0, detail: null },
    state: child ? 'healthy' : 'backoff',
    pid: child?.pid ?? null,
  })
  const status = async (): Promise<PlatformStatus> => ({
    healthy: roles.every(({ child }) => child !== null),
    ...{ version: '0', startedAtMs: 0, watchUrl: options.watchUrl ?? 'http://localhost:1', consoleUrl: '' },
    roles: roles.map(toStatus),
  })
  const role = (name: string): Role => {
    const found = roles.find((candidate) => candidate.name === name)
    if (!found) throw new Error(`no role ${name}`)
    return found
  }
  if (names.includes('store')) await eventually('the store to serve', () => existsSync(layout.storeSocket))
  // Faults never read the log.
  const stage = { layout, status, disk, log: null } as unknown as Inside
  return { stage, role, pidOf: (name) => role(name).child?.pid ?? 0 }
}

/** `speed`: how much faster than ours its time goes. */
function createStorm(stage: Inside, plans: readonly FaultPlan[], speed = 1) {
  const beganMs = performance.now()
  const marks: FaultMark[] = []
  const faults = createFaults({
    plans,
    stage,
    clock: { nowMs: () => (performance.now() - beganMs) * speed },
    onMark: (mark) => void marks.push(mark),
  })
  toClose.push(() => faults.stop())
  const phases = (): string[] => marks.map(({ phase, roles }) => `${phase} ${roles.join('+')}`)
  return { ...faults, marks, phases }
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await Bun.sleep(5)
  }
}

/** `T` is a stopped process. */
const stateOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? ''
  } catch {
    return ''
  }
}

/** Guards and proxies: processes of this one's that the storm has started. */
function leftProcesses(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const isOurs = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid)
      return isOurs && (line.includes('kill -CONT') || line.includes('faults/proxy/main.ts')) ? [line] : []
    } catch {
      return []
    }
  })
}

describe('processes', () => {
  test('kill -9, again and again, by pattern', async () => {
    const { stage, role } = await createPlatform(['worker-0', 'worker-1', 'edge'])
    const storm = createStorm(stage, [{ kind: 'kill', role: 'worker-*', atMs: 30, times: 3, everyMs: 100 }])
    await storm.prepare()
    storm.start()
    await eventually('the end', () => storm.phases().includes('ended worker-0+worker-1'))
    await eventually('both to be back', () => role('worker-0').restarts === 3 && role('worker-1').restarts === 3)
    expect(role('edge').restarts).toBe(0)
    expect(storm.phases()).toEqual([...Array(3).fill('struck worker-0+worker-1'), 'ended worker-0+worker-1'])
    expect(storm.marks[0]).toMatchObject({ faultId: 'kill-worker-*-at-30', label: 'kill -9 worker-*, 3 times' })
    const [first, second] = storm.marks.map(({ atMs }) => atMs)
    expect(first).toBeGreaterThanOrEqual(30)
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(50)
    expect(storm.failures()).toEqual([])
  })

  test('a role that never comes back from a kill: the fault was over with its last strike, and did not fail', async () => {
    const { stage, pidOf } = await createPlatform(['edge', 'control'], { backoffMs: 60_000 })
    const storm = createStorm(stage, [{ kind: 'kill', role: 'edge', atMs: 0, times: 3, everyMs: 10 }], 100)
    storm.start()
    await eventually('the end', () => storm.phases().includes('ended edge'))
    expect(storm.phases()).toEqual(['struck edge', 'ended edge'])
    expect(storm.failures()).toEqual([])
    const [struck, ended] = storm.marks
    expect(ended?.atMs).toBe(struck?.atMs ?? -1)
    expect([pidOf('edge'), pidOf('control') > 0]).toEqual([0, true])
  })

  test('down: killed again as soon as it is back, for as long as it lasts', async () => {
    const { stage, role, pidOf } = await createPlatform(['cell-a', 'cell-b'])
    const storm = createStorm(stage, [{ kind: 'down', role: 'cell-a', atMs: 0, forMs: 500 }])
    storm.start()
    await eventually('the end', () => storm.phases().includes('ended cell-a'))
    const { restarts } = role('cell-a')
    expect(restarts).toBeGreaterThanOrEqual(3)
    expect(role('cell-b').restarts).toBe(0)
    await eventually('it to stay up', () => pidOf('cell-a') !== 0)
    const pid = pidOf('cell-a')
    await storm.stop()
    expect(pidOf('cell-a')).toBe(pid)
    expect(storm.phases()).toEqual(['struck cell-a', 'ended cell-a'])
  })

  test('freeze: stopped, and continued in the end; its guard goes too', async () => {
    const { stage, pidOf } = await createPlatform(['control'])
    const pid = pidOf('control')
    const storm = createStorm(stage, [{ kind: 'freeze', role: 'control', atMs: 0, forMs: 400 }])
    storm.start()
    await eventually('it to stand still', () => stateOf(pid) === 'T')
    expect(leftProcesses().length).toBe(1)
    await eventually('the end', () => storm.phases().includes('ended control'))
    expect(stateOf(pid)).not.toBe('T')
    await eventually('its guard to go', () => leftProcesses().length === 0)
    expect(storm.failures()).toEqual([])
  })

  test('a frozen process that was replaced: its successor is left alone', async () => {
    const { stage, pidOf } = await createPlatform(['control'])
    const pid = pidOf('control')
    const storm = createStorm(stage, [{ kind: 'freeze', role: 'control', atMs: 0, forMs: 400 }])
    storm.start()
    await eventually('it to stand still', () => stateOf(pid) === 'T')
    process.kill(pid, 'SIGKILL')
    await eventually('another', () => pidOf('control') !== 0 && pidOf('control') !== pid)
    await eventually('the end', () => storm.phases().includes('ended control'))
    expect(storm.failures()).toEqual([])
  })

  test('a storm that is killed leaves nothing frozen', async () => {
    const { stage, pidOf } = await createPlatform(['control'])
    const pid = pidOf('control')
    const module = new URL('./processes.ts', import.meta.url).pathname
    const program = `
      import { createProcesses } from ${JSON.stringify(module)}
      createProcesses(${JSON.stringify(stage.layout.home)}).freeze({ role: 'control', pid: ${pid} }, 300)
      console.log('frozen')`
    const killed = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
    await killed.stdout.getReader().read()
    killed.kill('SIGKILL')
    await eventually('it to stand still', () => stateOf(pid) === 'T')
    await eventually('it to go on', () => stateOf(pid) !== 'T')
  })

  test('a process that is not of this platform is never struck', async () => {
    const { stage, pidOf } = await createPlatform(['edge'])
    const stranger = Bun.spawn(['sleep', '60'], { env: { PATH: process.env['PATH'], TENTPOLE_HOME: '/elsewhere' } })
    toClose.push(() => stranger.kill())
    const lying = { ...stage, status: async () => withPid(await stage.status(), stranger.pid) }
    const storm = createStorm(lying, [
      { kind: 'kill', role: 'edge', atMs: 0 },
      { kind: 'freeze', role: 'edge', atMs: 0, forMs: 50 },
      { kind: 'kill', role: 'cell-z', atMs: 0 },
    ])
    storm.start()
    await eventually('all to fail', () => storm.failures().length === 3)
    expect(storm.failures().map(({ reason }) => reason)).toEqual([
      expect.stringContaining('no role is called cell-z; this platform has edge'),
      expect.stringContaining('does not belong to the platform'),
      expect.stringContaining('does not belong to the platform'),
    ])
    expect(stranger.exitCode).toBeNull()
    expect(stateOf(stranger.pid)).toBe('S')
    expect(storm.phases().every((phase) => phase.startsWith('failed'))).toBe(true)
    expect(pidOf('edge')).not.toBe(0)
  })
})

const withPid = (status: PlatformStatus, pid: number): PlatformStatus => ({
  ...status,
  roles: status.roles.map((role) => ({ ...role, pid })),
})

describe('links', () => {
  const askStore = async (stage: Inside): Promise<string> =>
    await (await fetch('http://localhost/', { unix: stage.layout.storeSocket, keepalive: false })).text()
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now()
    await work()
    return performance.now() - began
  }

  test("a role's socket: callers are restarted, conditions come and go, the socket is put back", async () => {
    const { stage, role } = await createPlatform(['store', 'cell-a', 'control', 'worker-0', 'edge'])
    const storm = createStorm(stage, [
      { kind: 'link', where: 'store', atMs: 0, forMs: 1_500, conditions: { latencyMs: 60 } },
      { kind: 'link', where: 'store', atMs: 300, forMs: 800, conditions: { latencyMs: 130 } },
    ])
    expect(await storm.prepare()).toEqual({})
    expect(role('store').restarts).toBe(0)
    for (const name of ['cell-a', 'control', 'worker-0', 'edge']) expect([name, role(name).restarts]).toEqual([name, 1])
    expect(await timed(() => askStore(stage))).toBeLessThan(100)
    storm.start()
    const slowest: number[] = []
    const ended = (): number => storm.phases().filter((phase) => phase === 'ended store').length
    while (ended() < 1) slowest.push(await timed(() => askStore(stage)))
    expect(Math.max(...slowest)).toBeGreaterThanOrEqual(260)
    expect(await timed(() => askStore(stage))).toBeGreaterThanOrEqual(120)
    await eventually('the end', () => ended() === 2)
    expect(await timed(() => askStore(stage))).toBeLessThan(100)
    await storm.stop()
    expect(readdirSync(stage.layout.socketDirectory).sort()).toEqual(['.keep', 'cell-a.sock', 'store.sock'])
    expect(await askStore(stage)).toBe('store')
  }, 20_000)

  test('viewers: a port of its own before the edge', async () => {
    const edge = Bun.serve({ port: 0, fetch: () => new Response('edge') })
    toClose.push(() => edge.stop(true))
    const { stage, role } = await createPlatform(['edge'], { watchUrl: `http://localhost:${edge.port}` })
    const plan: FaultPlan = { kind: 'link', where: 'viewers', atMs: 0, forMs: 300, conditions: { cut: 'reset' } }
    const storm = createStorm(stage, [plan])
    const { watchUrl = '' } = await storm.prepare()
    expect(watchUrl).not.toBe(`http://localhost:${edge.port}`)
    const ask = async (): Promise<string> => await (await fetch(watchUrl, { keepalive: false })).text()
    expect(await ask()).toBe('edge')
    expect(role('edge').restarts).toBe(0)
    storm.start()
    await eventually('a reset', () =>
      ask().then(
        () => false,
        () => true,
      ),
    )
    await eventually('the end', () => storm.phases().includes('ended edge'))
    expect(await ask()).toBe('edge')
    await storm.stop()
    expect(ask()).rejects.toThrow()
  })

  test('a link that is not there, and a proxy that dies', async () => {
    const { stage } = await createPlatform(['store', 'edge'])
    const nowhere = createStorm(stage, [{ kind: 'link', where: 'cell-q', atMs: 0, forMs: 1, conditions: {} }])
    expect(nowhere.prepare()).rejects.toThrow(/no link to cell-q; expected viewers, store/)
    await nowhere.stop()
    const storm = createStorm(stage, [{ kind: 'link', where: 'store', atMs: 0, forMs: 9_000, conditions: {} }])
    await storm.prepare()
    const proxy = Number(readdirSync('/proc').find((name) => cmdlineOf(name).includes('faults/proxy/main.ts')))
    process.kill(proxy, 'SIGKILL')
    await eventually('it to be gone', () => cmdlineOf(String(proxy)) === '')
    storm.start()
    await eventually('the failure', () => storm.failures().length === 1)
    expect(storm.failures()[0]?.reason).toContain('the process of the fault proxies')
    await storm.stop()
    expect(await askStore(stage)).toBe('store')
  })
})

/** Only of this test's own children: other storms may run on this machine. */
function cmdlineOf(pid: string): string {
  try {
    const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]
    return parent === String(process.pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
  } catch {
    return ''
  }
}

describe('disk', () => {
  test('without a disk of its own: a failure that says what to do', async () => {
    const { stage } = await createPlatform(['edge'])
    const storm = createStorm(stage, [{ kind: 'disk-full', atMs: 0, forMs: 50 }])
    storm.start()
    await eventually('the failure', () => storm.failures().length === 1)
    expect(storm.failures()).toEqual([
      { faultId: 'disk-full-at-0', reason: expect.stringContaining('give the scenario platform.diskBytes') },
    ])
    expect(storm.phases()).toEqual(['failed edge'])
  })

  test.skipIf(refused !== null)(`full, and free in the end (${refused ?? 'made here'})`, async () => {
    const home = mkdtempSync(join(directory, 'disk-'))
    const bytes = 6 * 1024 * 1024
    const holder = Bun.spawn(smallDiskCommand({ directory: home, bytes, command: ['sh', '-c', 'echo; exec sleep 60'] }))
    await holder.stdout.getReader().read()
    toClose.push(() => holder.kill('SIGKILL'))
    const path = insideOf(holder.pid, home)
    const { stage } = await createPlatform(['edge'], { disk: { directory: path, bytes } })
    const storm = createStorm(stage, [{ kind: 'disk-full', atMs: 0, forMs: 400 }])
    storm.start()
    await eventually('a full disk', () => statfsSync(path).bfree === 0)
    await eventually('the end', () => storm.phases().includes('ended edge'))
    expect(statfsSync(path).bfree).toBe(statfsSync(path).blocks)
    expect(storm.phases()).toEqual(['struck edge', 'ended edge'])
  })
})

describe('stop', () => {
  test(`at any moment leaves nothing stopped, moved, full or running (seed ${SEED})`, async () => {
    const random = createRandom(SEED)
    const { stage, pidOf } = await createPlatform(['store', 'cell-a', 'control', 'edge'])
    const plans: FaultPlan[] = [
      { kind: 'freeze', role: 'control', atMs: 0, forMs: 60_000 },
      { kind: 'down', role: 'edge', atMs: 100, forMs: 60_000 },
      { kind: 'link', where: 'store', atMs: 0, forMs: 60_000, conditions: { cut: 'half-open' } },
    ]
    for (const phase of ['preparing', 'preparing', 'striking', 'striking', 'striking']) {
      const storm = createStorm(stage, plans)
      const prepared = storm.prepare().catch(() => ({}))
      if (phase === 'preparing') await Bun.sleep(random() * 200)
      else {
        await prepared
        storm.start()
        await Bun.sleep(random() * 250)
      }
      await Promise.all([storm.stop(), storm.stop()])
      await prepared
      expect(stateOf(pidOf('control'))).not.toBe('T')
      expect(
        readdirSync(stage.layout.socketDirectory)
          .sort()
          .filter((name) => !name.startsWith('cell-')),
      ).toEqual(['.keep', 'store.sock'])
      await eventually('no process to be left', () => leftProcesses().length === 0)
      await eventually('all roles to be back', async () => (await stage.status()).healthy)
      expect(await (await fetch('http://localhost/', { unix: stage.layout.storeSocket })).text()).toBe('store')
      const open = storm.marks.filter((mark) => mark.phase === 'struck').map(({ faultId }) => faultId)
      const closed = storm.marks.filter((mark) => mark.phase !== 'struck').map(({ faultId }) => faultId)
      for (const id of open) expect(closed).toContain(id)
    }
  }, 60_000)

  test('interrupted while roles are restarted: it says so soon, and puts the socket back', async () => {
    const { stage } = await createPlatform(['store', 'cell-a', 'edge'], { backoffMs: 60_000 })
    const storm = createStorm(stage, [{ kind: 'link', where: 'store', atMs: 0, forMs: 1_000, conditions: {} }])
    const interrupt = new AbortController()
    const prepared = storm.prepare(interrupt.signal).catch((error: unknown) => error)
    await eventually('a restart', async () => !(await stage.status()).healthy)
    const reason = new Error('enough')
    interrupt.abort(reason)
    expect(await prepared).toBe(reason)
    await storm.stop()
    expect(await (await fetch('http://localhost/', { unix: stage.layout.storeSocket })).text()).toBe('store')
    expect(
      await createStorm(stage, [])
        .prepare(interrupt.signal)
        .catch((error: unknown) => error),
    ).toBe(reason)
  })

  test('before anything, and nothing goes after it', async () => {
    const { stage } = await createPlatform(['edge'])
    const storm = createStorm(stage, [{ kind: 'kill', role: 'edge', atMs: 0 }])
    await storm.stop()
    expect(storm.prepare()).rejects.toThrow(/were stopped/)
    storm.start()
    await Bun.sleep(60)
    expect(storm.marks).toEqual([])
    expect(storm.failures()).toEqual([])
  })

  test('two faults that nobody could tell apart are refused', async () => {
    const { stage } = await createPlatform([])
    const plan: FaultPlan = { kind: 'kill', role: 'edge', atMs: 0 }
    expect(() => createStorm(stage, [plan, plan])).toThrow(/two faults are kill-edge-at-0/)
  })
})
