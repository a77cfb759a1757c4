import { readFileSync } from 'node:fs'
import { isPathPrefix } from '../../contracts/index.ts'
import { createProxyEdge, openAccessLog, type ProxyEdge, type ProxyEdgeOptions } from '../../edge/index.ts'
import { createLogger, DEFAULT_LIMITS, describeError, Fault, systemClock } from '../../kernel/index.ts'
import { watchPathKeysFile } from '../../roles/index.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

const MIB = 1024 * 1024
const TOKEN = /^[\w-]{20,}$/

/** The edge alone, in front of any HTTP/1.1 origin, until it is told to stop. */
export const edge: Verb = async ({ args, terminal }) => {
  const { values } = parseCommand(args, {
    origin: { type: 'string', multiple: true, default: [] },
    listen: { type: 'string' },
    memory: { type: 'string', default: '256' },
    'path-keys': { type: 'string' },
    public: { type: 'string', multiple: true, default: [] },
    'access-log': { type: 'string', default: 'off' },
    admin: { type: 'string' },
    'admin-token': { type: 'string' },
  })
  if (values.origin.length === 0) throw new UsageError('expected --origin URL')
  if (values.public.length > 0 && values['path-keys'] === undefined)
    throw new UsageError('--public: without --path-keys everything is public')
  const publicPrefixes = values.public.map(toPublic)
  const port = toWhole('--listen', values.listen ?? '', { min: 0, max: 65_535 })
  const memoryMib = toWhole('--memory', values.memory, { min: 1, max: 1_048_576 })
  const admin = toAdmin(values.admin, values['admin-token'])
  const logger = createLogger({ role: 'edge', format: 'text', write: terminal.print })
  const limits = { ...DEFAULT_LIMITS, edgeCacheBytes: memoryMib * MIB }
  const accessLog = openAccessLog({ target: toLogTarget(values['access-log']), limits, clock: systemClock, logger })
  const keys = values['path-keys'] === undefined ? null : await watchPathKeysFile(values['path-keys'], { logger })
  const running = open({
    port,
    origins: values.origin,
    limits,
    logger,
    ...(keys ? { signatures: { keys: keys.keys, publicPrefixes } } : {}),
    ...(accessLog ? { onExchange: accessLog.record } : {}),
    ...(admin ? { admin } : {}),
  })
  terminal.print(`ready  edge http://localhost:${running.port}`)
  if (running.adminPort !== null) terminal.print(`admin  http://127.0.0.1:${running.adminPort}`)
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.resolve())
  await stopped.promise
  await running.close({ drainMs: limits.drainMs })
  await keys?.close()
  await accessLog?.close()
  return 0
}

function open(options: ProxyEdgeOptions): ProxyEdge {
  try {
    return createProxyEdge(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new Fault(
        'address-in-use',
        `port ${options.port} or that of --admin is in use; stop who has it, or name another`,
      )
    throw new Fault('config-invalid', describeError(error), { cause: error })
  }
}

function toAdmin(port: string | undefined, tokenFile: string | undefined): { port: number; token: string } | null {
  if (port === undefined && tokenFile === undefined) return null
  if (port === undefined || tokenFile === undefined)
    throw new UsageError('expected --admin PORT and --admin-token FILE')
  const token = readToken(tokenFile)
  if (!TOKEN.test(token))
    throw new UsageError(`--admin-token: expected a file with 20 or more letters, digits, "-" or "_", got ${tokenFile}`)
  return { port: toWhole('--admin', port, { min: 0, max: 65_535 }), token }
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--admin-token: ${path} cannot be read: ${describeError(error)}`)
  }
}

/** `-` is what other programs call standard output. */
function toLogTarget(text: string): string {
  return text === '-' ? 'stdout' : text
}

/** In the form that requests are compared in, or it would open nothing. A "~" may be in it: there is no token that it could end. */
function toPublic(text: string): string {
  if (isPathPrefix(text.replaceAll('~', '-'))) return text
  throw new UsageError(
    `--public: expected a folder such as /art/, which opens all below it, or one file such as /logo.png: no empty, "." or ".." segment, percent-encoded in upper case where it must be; got ${JSON.stringify(text)}`,
  )
}

function toWhole(flag: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`${flag}: expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`)
}
