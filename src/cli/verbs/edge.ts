import { createProxyEdge } from '../../edge/index.ts'
import { createLogger, describeError, Fault } from '../../kernel/index.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

const MIB = 1024 * 1024
const DRAIN_MS = 10_000

/** The edge alone, in front of any HTTP/1.1 origin, until it is told to stop. */
export const edge: Verb = async ({ args, terminal }) => {
  const { values } = parseCommand(args, {
    origin: { type: 'string', multiple: true, default: [] },
    listen: { type: 'string' },
    memory: { type: 'string', default: '256' },
  })
  if (values.origin.length === 0) throw new UsageError('expected --origin URL')
  const port = toWhole('--listen', values.listen ?? '', { min: 0, max: 65_535 })
  const memoryMib = toWhole('--memory', values.memory, { min: 1, max: 1_048_576 })
  const logger = createLogger({ role: 'edge', format: 'text', write: terminal.print })
  const running = open({ port, origins: values.origin, limits: { edgeCacheBytes: memoryMib * MIB }, logger })
  terminal.print(`ready  edge http://localhost:${running.port}`)
  const stopped = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.resolve())
  await stopped.promise
  await running.close({ drainMs: DRAIN_MS })
  return 0
}

function open(options: Parameters<typeof createProxyEdge>[0]): ReturnType<typeof createProxyEdge> {
  try {
    return createProxyEdge(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new Fault(
        'address-in-use',
        `port ${options.port} is in use; stop who has it, or name another with --listen`,
      )
    throw new Fault('config-invalid', describeError(error), { cause: error })
  }
}

function toWhole(flag: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`${flag}: expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`)
}
