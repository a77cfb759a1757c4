import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PlatformStatus, platformStatusSchema } from '../../src/contracts/index.ts'
import { DEFAULT_LIMITS } from '../../src/kernel/index.ts'
import { layoutOf, readRuntime, type Supervisor } from '../../src/roles/index.ts'
import type { RoleStartData } from '../../src/roles/supervisor/messages.ts'
import { createWireClient } from '../../src/wire/index.ts'
import { isAlive, makeHome, startPlatform, until } from './platform.ts'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function newHome(): string {
  const { home, remove } = makeHome()
  cleanups.push(remove)
  return home
}

async function start(home: string = newHome(), config = {}): Promise<{ supervisor: Supervisor; lines: string[] }> {
  const platform = await startPlatform(home, config)
  cleanups.push(async () => {
    platform.supervisor.kill()
    await platform.supervisor.finished
  })
  await platform.supervisor.healthy
  return platform
}

function pidOf(supervisor: Supervisor, name: string): number {
  const pid = supervisor.status().roles.find((role) => role.name === name)?.pid
  if (!pid) throw new Error(`${name} has no process`)
  return pid
}

const givenTo = (home: string, name: string): RoleStartData =>
  JSON.parse(readFileSync(join(home, `${name}.context.json`), 'utf8')) as RoleStartData

describe('a platform', () => {
  test('starts its roles, says where it is, and leaves nothing when it stops', async () => {
    const home = newHome()
    const { supervisor, lines } = await start(home)
    const status = supervisor.status()
    expect(status.roles.map((role) => role.name)).toEqual(['store', 'cell-a', 'cell-b', 'control', 'worker-0', 'edge'])
    const runtime = await readRuntime(layoutOf(home).runtimeFile)
    expect(runtime).toMatchObject({ pid: process.pid, urls: { watch: status.watchUrl, console: status.consoleUrl } })
    expect(status.watchUrl).toBe(`http://localhost:${givenTo(home, 'edge').port}`)
    const pids = status.roles.map((role) => role.pid ?? 0)

    const began = performance.now()
    supervisor.drain()
    expect(await supervisor.finished).toBeNull()
    expect(performance.now() - began).toBeLessThan(DEFAULT_LIMITS.drainMs)
    expect(pids.filter(isAlive)).toEqual([])
    expect(existsSync(layoutOf(home).runtimeFile)).toBe(false)
    expect(lines.filter((line) => line.endsWith(' drained')).at(-1)).toContain(' store ')
    expect(lines.filter((line) => line.endsWith(' drained')).at(0)).toContain(' edge ')
  })

  test('gives secrets only to those that need them, never by argument or environment', async () => {
    const home = newHome()
    const { supervisor } = await start(home)
    const has = (name: string) => {
      const { viewerKey, pathKeys, operatorToken } = givenTo(home, name)
      return [viewerKey !== null, pathKeys !== null, operatorToken !== null]
    }
    expect({ store: has('store'), worker: has('worker-0') }).toEqual({
      store: [false, false, false],
      worker: [false, false, false],
    })
    expect({ cell: has('cell-a'), edge: has('edge'), control: has('control') }).toEqual({
      cell: [true, true, false],
      edge: [false, true, false],
      control: [false, false, true],
    })
    if (process.platform !== 'linux') return
    const pid = pidOf(supervisor, 'control')
    const visible = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join('\0')
    expect(visible).toContain(`TENTPOLE_HOME=${home}\0`)
    expect(visible).not.toContain(supervisor.operatorToken)
  })

  test('brings a killed role back within a second, the others untouched', async () => {
    const { supervisor } = await start()
    const before = supervisor.status()
    const store = pidOf(supervisor, 'store')
    process.kill(store, 'SIGKILL')
    await until(
      'the store is back',
      () => {
        const role = supervisor.status().roles.find(({ name }) => name === 'store')
        return role?.state === 'healthy' && role.pid !== store
      },
      1_000,
    )
    const after = supervisor.status()
    expect(after.roles.find(({ name }) => name === 'store')?.restarts).toBe(1)
    expect(after.roles.slice(1).map(({ pid }) => pid)).toEqual(before.roles.slice(1).map(({ pid }) => pid))
  })

  test('kills a role that hangs, and starts it again', async () => {
    const limits = { healthPeriodMs: 100, healthTimeoutMs: 600 }
    const { supervisor } = await start(newHome(), { limits })
    const hung = pidOf(supervisor, 'worker-0')
    process.kill(hung, 'SIGSTOP')
    await until('the worker is another process', () => {
      const role = supervisor.status().roles.find(({ name }) => name === 'worker-0')
      return role?.state === 'healthy' && role.pid !== hung
    })
    expect(isAlive(hung)).toBe(false)
  })

  test('its roles ignore the signals of a terminal', async () => {
    const { supervisor, lines } = await start()
    for (const { pid } of supervisor.status().roles)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid ?? 0, signal)
    supervisor.drain()
    await supervisor.finished
    // Whoever says so was still there when the supervisor spoke.
    expect(lines.filter((line) => line.endsWith(' drained'))).toHaveLength(6)
    expect(supervisor.status().roles.map((role) => role.restarts)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('what a role prints besides its log becomes a log line', async () => {
    const { lines } = await start()
    expect(lines.some((line) => / edge {7}WARN a stray line$/.test(line))).toBe(true)
    expect(lines.some((line) => / edge {7}started$/.test(line))).toBe(true)
  })
})

describe('the socket', () => {
  test('answers `status` once and `watch` on every change', async () => {
    const home = newHome()
    const { supervisor } = await start(home)
    const client = createWireClient({ path: layoutOf(home).supervisorSocket, limits: DEFAULT_LIMITS })
    cleanups.push(() => client.close())
    const answer = await client.call(Buffer.from('status'))
    expect(platformStatusSchema.parse(JSON.parse(Buffer.from(answer).toString()))).toEqual(supervisor.status())

    const seen: PlatformStatus[] = []
    const watching = client.call(Buffer.from('watch'), {
      timeoutMs: Number.POSITIVE_INFINITY,
      onPush: (payload) => void seen.push(JSON.parse(Buffer.from(payload).toString())),
    })
    watching.catch(() => {})
    await until('the first status', () => seen.length === 1)
    process.kill(pidOf(supervisor, 'cell-b'), 'SIGKILL')
    await until('unhealthy and healthy again', () => seen.length > 2 && seen.at(-1)?.healthy === true)
    expect(seen.some((status) => !status.healthy)).toBe(true)
    const failed = await client.call(Buffer.from('nonsense')).catch((error: { code: string }) => error.code)
    expect(failed).toBe('unknown-call')
  })
})

describe('a home', () => {
  test('belongs to one platform at a time', async () => {
    const home = newHome()
    const { supervisor } = await start(home)
    const refused = await startPlatform(home).catch((error: Error & { code: string }) => error)
    expect(refused).toMatchObject({ code: 'home-in-use' })
    expect((refused as Error).message).toContain(`kill ${process.pid}`)
    supervisor.drain()
    await supervisor.finished
    await start(home)
  })

  test('keeps its keys over a restart, readable by nobody else', async () => {
    const home = newHome()
    const layout = layoutOf(home)
    const files = [layout.viewerKeyFile, layout.pathKeysFile, layout.operatorTokenFile]
    const { supervisor } = await start(home)
    const before = files.map((file) => readFileSync(file, 'utf8'))
    supervisor.drain()
    await supervisor.finished
    await start(home)
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before)
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    expect(statSync(home).mode & 0o777).toBe(0o700)
  })

  test('with a key file that is not one is refused, and the file left as it is', async () => {
    const home = newHome()
    const layout = layoutOf(home)
    writeFileSync(layout.operatorTokenFile, 'short')
    expect(await startPlatform(home).catch((error: { code: string }) => error.code)).toBe('secret-invalid')
    expect(readFileSync(layout.operatorTokenFile, 'utf8')).toBe('short')
  })

  test('is taken over when its supervisor was killed: the roles go, a new platform starts', async () => {
    const home = newHome()
    const script = `
      import { startPlatform } from ${JSON.stringify(join(import.meta.dir, 'platform.ts'))}
      const { supervisor } = await startPlatform(${JSON.stringify(home)})
      const { roles } = await supervisor.healthy
      console.log(JSON.stringify(roles.map((role) => role.pid)))`
    const first = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    const { value } = await first.stdout.getReader().read()
    const pids = JSON.parse(Buffer.from(value ?? []).toString()) as number[]
    // One that cannot drain by itself.
    process.kill(pids[1] ?? 0, 'SIGSTOP')
    first.kill('SIGKILL')
    await first.exited
    await until('the others are gone', () => pids.filter(isAlive).length === 1)
    await start(home, { limits: { drainMs: 300 } })
    // Dead already; its entry goes when the system's first process has taken note.
    await until('the one that hung is gone', () => pids.filter(isAlive).length === 0)
  })

  test('whose path is too long for a socket works all the same', async () => {
    const home = join(newHome(), 'a'.repeat(60), 'b'.repeat(60))
    const { supervisor } = await start(home)
    expect(supervisor.layout.supervisorSocket.startsWith(home)).toBe(false)
    cleanups.unshift(() => Bun.$`rm -rf ${supervisor.layout.socketDirectory}`.quiet().then(() => {}))
    expect(supervisor.status().healthy).toBe(true)
  })
})

test('a port in use is said before anything starts', async () => {
  const taken = Bun.listen({ hostname: '0.0.0.0', port: 0, socket: { data() {} } })
  cleanups.push(() => taken.stop(true))
  const refused = startPlatform(newHome(), { ports: { watch: taken.port, console: 0 } })
  expect(await refused.catch((error: Error) => error.message)).toContain(`port ${taken.port} is in use`)
})
