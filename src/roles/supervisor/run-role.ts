import type { PathKeys } from '../../contracts/index.ts'
import { createLogger, describeError, faultCode, type Logger, silentLogger } from '../../kernel/index.ts'
import type { RoleContext, RoleName, RunningRole, StartRole } from '../context.ts'
import { layoutOf } from '../layout.ts'
import type { FromRole, RoleStartData, ToRole } from './messages.ts'

/** Nothing verifies. */
const NO_KEYS: PathKeys = { current: '', keys: {} }

/** A health check that takes longer has its silence reported instead. */
const HEALTH_CHECK_MS = 2_000

/**
 * The life of a role's process: says hello, is started by the supervisor's message, answers its pings, drains when told
 * to or when the supervisor is gone, and exits. A terminal's signals are the supervisor's business.
 */
export function runRole(load: (role: RoleName) => Promise<{ start: StartRole }>): void {
  let logger: Logger = silentLogger
  let running: RunningRole | null = null
  let drainMs = 0
  let isDraining = false
  let pathKeys: PathKeys | null = null

  const send = (message: FromRole): void => {
    if (process.connected) process.send?.(message)
  }
  const fail = (error: unknown, code: string): never => {
    logger.error(`fatal: ${describeError(error)}`, { code, stack: error instanceof Error ? error.stack : undefined })
    send({ type: 'failed', code, message: describeError(error) })
    process.exit(1)
  }

  const start = async (data: RoleStartData): Promise<void> => {
    const write = (line: string): void => void process.stdout.write(`${line}\n`)
    logger = createLogger({ role: data.name, format: data.logFormat, write })
    drainMs = data.config.limits.drainMs
    pathKeys = data.pathKeys
    try {
      const { start: startRole } = await load(data.role)
      running = await startRole(toContext(data, logger, () => pathKeys ?? NO_KEYS))
      send({ type: 'ready', port: running.port, faults: (await checkHealth(running)) ?? [] })
    } catch (error) {
      fail(error, isAddressInUse(error) ? 'address-in-use' : faultCode(error))
    }
  }

  const drain = async (why: string): Promise<void> => {
    if (isDraining) return
    isDraining = true
    logger.info(`draining: ${why}`)
    setTimeout(() => process.exit(1), drainMs)
    try {
      await running?.drain()
    } catch (error) {
      fail(error, faultCode(error))
    }
    process.exit(0)
  }

  process.on('uncaughtException', (error) => fail(error, 'internal'))
  process.on('unhandledRejection', (error) => fail(error, 'internal'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // Whoever read our lines is gone: no reason to stop working.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  process.on('disconnect', () => void drain('the supervisor is gone'))
  process.on('message', (message: ToRole) => {
    if (message.type === 'start') void start(message.data)
    else if (message.type === 'keys') pathKeys = message.pathKeys
    else if (message.type === 'drain') void drain('the supervisor said so')
    else void checkHealth(running).then((faults) => send({ type: 'pong', faults }))
  })
  send({ type: 'hello' })
}

function toContext(data: RoleStartData, logger: Logger, pathKeys: () => PathKeys): RoleContext {
  const { logFormat: _, ...rest } = data
  return { ...rest, pathKeys: data.pathKeys && pathKeys, layout: layoutOf(data.config.home), logger }
}

async function checkHealth(running: RunningRole | null): Promise<readonly string[] | null> {
  if (running === null) return null
  const late = Promise.withResolvers<readonly string[]>()
  const timer = setTimeout(
    () => late.resolve([`its health check took longer than ${HEALTH_CHECK_MS} ms`]),
    HEALTH_CHECK_MS,
  )
  const check = async (): Promise<readonly string[]> => {
    try {
      return (await running.health()).faults
    } catch (error) {
      return [`its health check failed: ${describeError(error)}`]
    }
  }
  const faults = await Promise.race([check(), late.promise])
  clearTimeout(timer)
  return faults
}

function isAddressInUse(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'EADDRINUSE'
}
