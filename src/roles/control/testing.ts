import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CloudEvent,
  type PlatformStatus,
  parseConfig,
  type StaffTitle,
  type TentpoleConfig,
} from '../../contracts/index.ts'
import { createStoreClient, type StoreClient } from '../../engines/store/index.ts'
import { decodeEvent } from '../../hub/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { createWireServer } from '../../wire/index.ts'
import type { RoleContext, RunningRole } from '../context.ts'
import { start as startControl } from '../control.ts'
import { layoutOf } from '../layout.ts'
import { start as startStore } from '../store.ts'
import type { FromRole, RoleStartData, ToRole } from '../supervisor/messages.ts'
import { serveStatus } from '../supervisor/status.ts'

export const TOKEN = 'operator-token-for-tests'
export const METRICS_TOKEN = 'metrics-token-for-tests'

/** For tests: a real store role, a supervisor's socket that says what the test wants, and control over real HTTP. */
export type TestControl = {
  readonly home: string
  readonly url: string
  readonly store: StoreClient
  readonly role: RunningRole
  /** As the operator; `path` from the root. */
  call(path: string, init?: RequestInit): Promise<Response>
  createTitle(name?: string): Promise<StaffTitle>
  setStatus(status: PlatformStatus): void
  /** Opens another control on the same home, in a process of its own. */
  spawn(): Promise<ControlProcess>
  close(): Promise<void>
}

export type ControlProcess = { readonly url: string; kill(): Promise<void> }

export async function startTestControl(config: TentpoleConfig = {}): Promise<TestControl> {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-control-'))
  const context = contextOf(home, config)
  const { layout } = context
  const consoleDirectory = join(layout.webDirectory, 'console', 'assets')
  mkdirSync(consoleDirectory, { recursive: true })
  writeFileSync(join(consoleDirectory, 'main-12345678.js'), 'export {}\n')
  writeFileSync(join(consoleDirectory, '..', 'index.html'), '<!doctype html><title>Tentpole console</title>\n')
  const storeRole = await startStore(context)
  const listeners = new Set<() => void>()
  let status = statusOf('healthy')
  const supervisor = createWireServer({
    path: layout.supervisorSocket,
    limits: context.config.limits,
    logger: silentLogger,
    onCall: serveStatus({
      status: () => status,
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }),
  })
  const store = createStoreClient({ path: layout.storeSocket, limits: context.config.limits, logger: silentLogger })
  const role = await startControl(context)
  const url = `http://localhost:${role.port}`
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, url), { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } })
  const children: ControlProcess[] = []

  return {
    home,
    url,
    store,
    role,
    call,
    async createTitle(name = 'A film') {
      const response = await call('/api/titles', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      })
      return (await response.json()) as StaffTitle
    },
    setStatus(next) {
      status = next
      for (const listener of listeners) listener()
    },
    async spawn() {
      const child = await spawnControl(context)
      children.push(child)
      return child
    },
    async close() {
      for (const child of children) await child.kill()
      await role.drain()
      await store.close()
      await supervisor.close({ timeoutMs: 100 })
      await storeRole.drain()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

export function statusOf(edge: PlatformStatus['roles'][number]['state']): PlatformStatus {
  const role = { name: 'edge', role: 'edge', state: edge, pid: 1, restarts: 0, sinceMs: 0, detail: null } as const
  const urls = { watchUrl: 'http://localhost:8080', consoleUrl: 'http://localhost:8081' }
  return { healthy: edge === 'healthy', version: '0.1.0', startedAtMs: 0, ...urls, roles: [role] }
}

function contextOf(home: string, config: TentpoleConfig): RoleContext {
  return {
    name: 'control',
    role: 'control',
    cell: null,
    port: 0,
    config: parseConfig({ ...config, home }),
    layout: layoutOf(home),
    logger: silentLogger,
    version: '0.1.0',
    viewerKey: null,
    pathKeys: null,
    operatorToken: TOKEN,
    metricsToken: METRICS_TOKEN,
    watchUrl: 'http://localhost:8080',
  }
}

/** As the supervisor does it: the roles' entry, told over IPC what to be. */
async function spawnControl(context: RoleContext): Promise<ControlProcess> {
  const ready = Promise.withResolvers<number>()
  const { layout: _, logger: _logger, ...rest } = context
  const data: RoleStartData = { ...rest, pathKeys: null, logFormat: 'text' }
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '..', 'main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc(message: FromRole) {
      if (message.type === 'hello') child.send({ type: 'start', data } satisfies ToRole)
      if (message.type === 'ready' && message.port !== null) ready.resolve(message.port)
      if (message.type === 'failed') ready.reject(new Error(message.message))
    },
  })
  return {
    url: `http://localhost:${await ready.promise}`,
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Waits for a condition, with a bound. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs: number = 8_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await Bun.sleep(10)
  }
}

export type Problem = {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string }[]
}

export async function problemOf(response: Response): Promise<Problem> {
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`expected problem details, got ${response.status} ${response.headers.get('content-type')}`)
  return (await response.json()) as Problem
}

export function toPost(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** The events about one title on a topic. */
export async function eventsOf(control: TestControl, topic: string, titleId: string): Promise<CloudEvent[]> {
  const first = (await control.store.log.bounds(topic))[0]?.first ?? 0
  const records = await control.store.log.read({ topic, from: first, max: 10_000 })
  return records.map(decodeEvent).filter((event) => event.subject === titleId)
}
