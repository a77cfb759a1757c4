import { afterAll, afterEach, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, silentLogger } from '../../../kernel/index.ts'
import { createWireClient, createWireServer, type WireClient, type WireServer } from '../../../wire/index.ts'
import { type ProxyProcess, startProxyProcess } from './process.ts'
import { restoreSocket } from './socket-place.ts'
import { createTakeover } from './takeover.ts'

const directory = mkdtempSync(join(tmpdir(), 'storm-takeover-'))
const toClose: (() => void | Promise<void>)[] = []
let sockets = 0

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
  for (const name of readdirSync(directory)) rmSync(join(directory, name))
})
afterAll(() => rmSync(directory, { recursive: true }))

function nextPath(): string {
  sockets += 1
  return join(directory, `${sockets}.sock`)
}

/** A server of the platform's own kind, which says who it is. */
function serve(path: string, name: string): WireServer {
  const server = createWireServer({
    path,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    onCall: () => Buffer.from(name),
  })
  toClose.push(() => server.close({ timeoutMs: 0 }))
  return server
}

function connect(path: string): WireClient {
  const client = createWireClient({ path, limits: DEFAULT_LIMITS })
  toClose.push(() => client.close())
  return client
}

const ask = async (client: WireClient): Promise<string> =>
  Buffer.from(await client.call(Buffer.from('who?'), { timeoutMs: 5_000 })).toString()

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await Bun.sleep(2)
  }
}

/** A process that serves the socket and can be killed like a role. */
async function serveInProcess(path: string, name: string): Promise<Bun.Subprocess> {
  const program = `
    import { rmSync } from 'node:fs'
    import { createWireServer } from ${JSON.stringify(new URL('../../../wire/index.ts', import.meta.url).pathname)}
    import { DEFAULT_LIMITS, silentLogger } from ${JSON.stringify(new URL('../../../kernel/index.ts', import.meta.url).pathname)}
    createWireServer({ path: ${JSON.stringify(path)}, limits: DEFAULT_LIMITS, logger: silentLogger, onCall: () => Buffer.from(${JSON.stringify(name)}) })
    console.log('ready')`
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  toClose.push(() => child.kill('SIGKILL'))
  await child.stdout.getReader().read()
  return child
}

test('stands between server and new callers, and gives the socket back', async () => {
  const path = nextPath()
  serve(path, 'first')
  const takeover = createTakeover({ path })
  toClose.push(takeover.release)
  const client = connect(path)
  expect(await ask(client)).toBe('first')
  expect(takeover.connections()).toBe(1)
  takeover.setConditions({ latencyMs: 40 })
  expect(await timed(() => ask(client))).toBeGreaterThanOrEqual(80)
  takeover.release()
  takeover.release()
  expect(readdirSync(directory)).toEqual([path.slice(directory.length + 1)])
  expect(await ask(connect(path))).toBe('first')
  expect(await ask(client)).toBe('first')
})

test('a server that ends in good order and comes back is taken over again', async () => {
  const path = nextPath()
  const first = serve(path, 'first')
  const takeover = createTakeover({ path })
  toClose.push(takeover.release)
  const client = connect(path)
  expect(await ask(client)).toBe('first')
  await first.close({ timeoutMs: 0 })
  await until('the caller to see it', () => !client.connected())
  expect(existsSync(path)).toBe(false)
  serve(path, 'second')
  await until(
    'callers to go through the proxy',
    async () => (await ask(connect(path))) === 'second' && takeover.connections() > 0,
  )
  takeover.release()
  expect(readdirSync(directory)).toEqual([path.slice(directory.length + 1)])
  expect(await ask(connect(path))).toBe('second')
})

test('a killed server: callers wait as they would without the proxy, and are served by its successor', async () => {
  const path = nextPath()
  const server = await serveInProcess(path, 'first')
  const takeover = createTakeover({ path })
  toClose.push(takeover.release)
  const client = connect(path)
  expect(await ask(client)).toBe('first')
  server.kill('SIGKILL')
  await until('the caller to see it', () => !client.connected())
  // Not `wire-lost`: this call is made while nobody is there.
  const answer = ask(client)
  await serveInProcess(path, 'second')
  expect(await answer).toBe('second')
  const began = performance.now()
  await until('new callers to go through the proxy', async () => {
    const before = takeover.connections()
    await ask(connect(path))
    return takeover.connections() > before
  })
  expect(performance.now() - began).toBeLessThan(200)
})

test('what a killed proxy left is mended by the next', async () => {
  const path = nextPath()
  await serveInProcess(path, 'server')
  const proxies = await startProxyProcess()
  await proxies.takeOver('store', path)
  expect(await ask(connect(path))).toBe('server')
  process.kill(proxies.pid, 'SIGKILL')
  await until('it is gone', () =>
    proxies.setConditions('store', {}).then(
      () => false,
      () => true,
    ),
  )
  const takeover = createTakeover({ path })
  toClose.push(takeover.release)
  expect(await ask(connect(path))).toBe('server')
  expect(takeover.connections()).toBe(1)
})

test('no socket: a fault that says so', () => {
  const path = nextPath()
  expect(() => createTakeover({ path })).toThrow(/no socket at .*start the platform/)
  expect(readdirSync(directory)).toEqual([])
  restoreSocket(path)
})

async function startProxies(): Promise<ProxyProcess> {
  const proxies = await startProxyProcess()
  toClose.push(proxies.close)
  return proxies
}

test('in a process of its own: conditions, faults and closing', async () => {
  const path = nextPath()
  serve(path, 'server')
  const proxies = await startProxies()
  await proxies.takeOver('store', path)
  const client = connect(path)
  expect(await ask(client)).toBe('server')
  await proxies.setConditions('store', { latencyMs: 40 })
  expect(await timed(() => ask(client))).toBeGreaterThanOrEqual(80)
  expect(proxies.setConditions('nowhere', {})).rejects.toThrow(/no link is called nowhere/)
  expect(proxies.takeOver('other', nextPath())).rejects.toThrow(/no socket at/)
  await proxies.close()
  await proxies.close()
  expect(readdirSync(directory)).toEqual([path.slice(directory.length + 1)])
  expect(await ask(connect(path))).toBe('server')
})

test('a storm that is killed takes its proxies with it, and they put the sockets back', async () => {
  const path = nextPath()
  serve(path, 'server')
  const program = `
    import { startProxyProcess } from ${JSON.stringify(new URL('./process.ts', import.meta.url).pathname)}
    const proxies = await startProxyProcess()
    await proxies.takeOver('store', ${JSON.stringify(path)})
    console.log('ready')
    setInterval(() => {}, 1_000)`
  const storm = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  await storm.stdout.getReader().read()
  expect(existsSync(`${path}.behind`)).toBe(true)
  storm.kill('SIGKILL')
  await until('the proxies to go', () => !existsSync(`${path}.front`))
  expect(readdirSync(directory)).toEqual([path.slice(directory.length + 1)])
  expect(await ask(connect(path))).toBe('server')
})
