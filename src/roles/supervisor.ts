import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { PathKeys, PlatformStatus, ResolvedConfig } from '../contracts/index.ts'
import { createLogger, Fault, type LogFormat, type Logger } from '../kernel/index.ts'
import { createWireServer } from '../wire/index.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type Child, spawnChild } from './supervisor/child.ts'
import { claimHome } from './supervisor/claim.ts'
import type { FromRole, RoleStartData } from './supervisor/messages.ts'
import { createPathKeyring } from './supervisor/path-keyring.ts'
import { planRoles, type RolePlan } from './supervisor/plan.ts'
import { pickPort } from './supervisor/ports.ts'
import { passOn } from './supervisor/relay-lines.ts'
import { removeRuntime, writeRuntime, writeWhole } from './supervisor/runtime.ts'
import { openSecrets, type Secrets, secretsFor, takesPathKeys } from './supervisor/secrets.ts'
import { servePathKeys } from './supervisor/serve-path-keys.ts'
import { createState, decide, isHealthy, type SupervisorEffect, type SupervisorEvent } from './supervisor/state.ts'
import { serveStatus, toStatus } from './supervisor/status.ts'

/** How often what is due is looked for: restarts, pings, deadlines. */
const TICK_MS = 20

export type Supervisor = {
  readonly layout: Layout
  readonly operatorToken: string
  status(): PlatformStatus
  onChange(listener: (status: PlatformStatus) => void): () => void
  isStopping(): boolean
  /** When every role has been healthy at once; rejects when the platform stops before. */
  readonly healthy: Promise<PlatformStatus>
  /** Edge first, store last, all within `drainMs`; once is enough. */
  drain(): void
  /** No waiting. */
  kill(): void
  /** When nothing is left; the sentence says why it stopped by itself, null when it was asked to. */
  readonly finished: Promise<string | null>
}

export type SupervisorOptions = {
  readonly config: ResolvedConfig
  readonly version: string
  readonly logFormat: LogFormat
  /** Takes one finished log line. */
  readonly write: (line: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Once the home is this process's own, before the first role starts. */
  readonly prepare?: (layout: Layout, logger: Logger) => Promise<void>
  /** The program of a role; other than the real one only in tests. */
  readonly entry?: string
}

/**
 * Starts a platform: claims its home, makes its keys, starts its roles in order and keeps them running.
 * Faults: `home-in-use`, `home-not-ours`, `secret-invalid`, `port-unavailable`, and those of `prepare`.
 */
export async function createSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { config, logFormat, write } = options
  const layout = layoutOf(config.home)
  const logger = createLogger({ role: 'supervisor', format: logFormat, write })
  const claim = await claimHome(layout, { drainMs: config.limits.drainMs })
  try {
    await removeRuntime(layout.runtimeFile)
    const secrets = await openSecrets(layout)
    const ports = { watch: await pickPort(config.ports.watch), console: await pickPort(config.ports.console) }
    await mkdir(layout.scratchDirectory, { recursive: true, mode: 0o700 })
    await options.prepare?.(layout, logger)
    return runPlatform({ ...options, layout, logger, secrets, ports, release: claim.release })
  } catch (error) {
    claim.release()
    throw error
  }
}

type Platform = SupervisorOptions & {
  readonly layout: Layout
  readonly logger: Logger
  readonly secrets: Secrets
  readonly ports: { readonly watch: number; readonly console: number }
  readonly release: () => void
}

function runPlatform(platform: Platform): Supervisor {
  const { config, layout, logger, ports, version } = platform
  const entry = platform.entry ?? fileURLToPath(new URL('./main.ts', import.meta.url))
  const plans = planRoles(config)
  const startedAtMs = Date.now()
  const urls = { watch: toUrl(ports.watch), console: toUrl(ports.console) }
  const children = new Map<string, Child>()
  const listeners = new Set<(status: PlatformStatus) => void>()
  const healthy = Promise.withResolvers<PlatformStatus>()
  const finished = Promise.withResolvers<string | null>()
  healthy.promise.catch(() => {})
  let state = createState(plans, performance.now())
  let shown = ''
  let wasHealthy = false

  const keyring = createPathKeyring({
    path: layout.pathKeysFile,
    file: platform.secrets.pathKeys,
    limits: config.limits,
    logger,
    // Edges first: a key that signs at once must be known where its tokens are shown.
    onChange: (pathKeys) => {
      for (const { name, role } of plans.toReversed())
        if (takesPathKeys(role)) children.get(name)?.send({ type: 'keys', pathKeys })
    },
  })

  const status = (): PlatformStatus => toStatus(state, { version, startedAtMs, urls })

  const handle = (event: SupervisorEvent): void => {
    if (state.mode === 'finished') return
    const decision = decide(state, event, performance.now(), config.limits)
    state = decision.state
    for (const effect of decision.effects) perform(effect)
    announce()
  }

  const announce = (): void => {
    const now = status()
    const text = JSON.stringify(now.roles.map(({ sinceMs: _, ...role }) => role))
    if (text === shown) return
    shown = text
    if (!wasHealthy && isHealthy(state)) {
      wasHealthy = true
      writeRuntime(layout.runtimeFile, { pid: process.pid, version, startedAtMs, ports, urls }).then(
        () => healthy.resolve(now),
        (error: unknown) => healthy.reject(error),
      )
    }
    for (const listener of listeners) listener(now)
  }

  const perform = (effect: SupervisorEffect): void => {
    if (effect.type === 'finish') void finish()
    else if (effect.type === 'spawn') start(effect.name, effect.generation)
    else if (effect.type === 'kill') {
      logger.warn(`killing ${effect.name}: ${effect.why}`)
      children.get(effect.name)?.kill()
    } else children.get(effect.name)?.send({ type: effect.type })
  }

  const start = (name: string, generation: number): void => {
    const plan = plans.find((candidate) => candidate.name === name)
    if (!plan) return
    const child = spawnChild({
      name,
      entry,
      home: layout.home,
      environment: platform.environment,
      onMessage(message) {
        // Made only now: keys may have changed since the process was begun.
        if (message.type === 'hello') child.send({ type: 'start', data: startData(platform, plan, keyring.current()) })
        else onMessage(name, generation, message)
      },
      onLine: passOn({ name, format: platform.logFormat, write: platform.write }),
      onExit(how) {
        if (children.get(name) === child) children.delete(name)
        if (state.mode === 'running') logger.error(`${name} is gone: ${how}`, { pid: child.pid })
        handle({ type: 'exited', name, generation, how, jitter: Math.random() })
      },
    })
    children.set(name, child)
    rememberPids()
    // Not from within `decide`'s effects: the state they belong to is being replaced.
    queueMicrotask(() => handle({ type: 'spawned', name, generation, pid: child.pid }))
  }

  const onMessage = (name: string, generation: number, message: Exclude<FromRole, { type: 'hello' }>): void => {
    if (message.type === 'failed') logger.error(`${name} failed: ${message.message}`, { code: message.code })
    if (message.type === 'ready') logger.info(`${name} is ready`, { port: message.port ?? undefined })
    handle({ ...message, name, generation })
  }

  let pidsWritten: Promise<void> = Promise.resolve()
  const rememberPids = (): void => {
    const write = (): Promise<void> => {
      const pids = Object.fromEntries([...children].map(([name, { pid }]) => [name, pid]))
      return writeWhole(layout.rolesFile, JSON.stringify(pids))
    }
    pidsWritten = pidsWritten.then(write).catch((error: unknown) => {
      logger.warn('the list of role processes could not be written', { error: String(error) })
    })
  }

  const finish = async (): Promise<void> => {
    clearInterval(ticking)
    keyring.close()
    await pidsWritten
    await Promise.allSettled([
      server.close({ timeoutMs: 200 }),
      removeRuntime(layout.runtimeFile),
      rm(layout.rolesFile, { force: true }),
    ])
    platform.release()
    const why = state.failure
    logger.info('stopped')
    healthy.reject(new Fault('platform-stopped', why ?? 'the platform was stopped before all its roles were healthy'))
    finished.resolve(why)
  }

  const onChange = (listener: (status: PlatformStatus) => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const server = createWireServer({
    path: layout.supervisorSocket,
    limits: config.limits,
    logger,
    onCall: servePathKeys(keyring, serveStatus({ status, onChange })),
  })
  const ticking = setInterval(() => handle({ type: 'tick' }), TICK_MS)
  handle({ type: 'tick' })

  return {
    layout,
    operatorToken: platform.secrets.operatorToken,
    status,
    onChange,
    isStopping: () => state.mode !== 'running',
    healthy: healthy.promise,
    drain: () => handle({ type: 'drain' }),
    kill: () => handle({ type: 'kill' }),
    finished: finished.promise,
  }
}

function startData(platform: Platform, plan: RolePlan, pathKeys: PathKeys): RoleStartData {
  const { config, version, logFormat, ports, secrets } = platform
  const port = plan.role === 'edge' ? ports.watch : plan.role === 'control' ? ports.console : 0
  // The home as the supervisor understood it: a child's working directory is another.
  const watchUrl = toUrl(ports.watch)
  const resolved = { ...config, home: platform.layout.home, ports }
  return { ...plan, port, config: resolved, version, logFormat, watchUrl, ...secretsFor(plan.role, secrets, pathKeys) }
}

const toUrl = (port: number): string => `http://localhost:${port}`
