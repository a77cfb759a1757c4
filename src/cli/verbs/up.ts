import { buildWeb } from '../../../web/build.ts'
import { createLogger, describeError, Fault, type LogFormat } from '../../kernel/index.ts'
import { createSupervisor, type Supervisor } from '../../roles/index.ts'
import { loadConfig, VERSION } from '../configuration.ts'
import { beginFirstStart, type FirstStart } from '../sample/publish-sample.ts'
import { createStaff } from '../staff.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

/** A launcher may pass on a Ctrl-C that the terminal has delivered already: this close together it is one. */
const SAME_INTERRUPT_MS = 500

/** Runs the platform until it is told to stop; exit code 0 when it was, 1 when it gave up by itself. */
export const up: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, {
    config: { type: 'string' },
    log: { type: 'string', default: 'text' },
    'no-sample': { type: 'boolean' },
  })
  const logFormat = toLogFormat(values.log)
  const config = await loadConfig(values.config, environment)
  await checkModules(config.hub.modules)
  const logger = createLogger({ role: 'supervisor', format: logFormat, write: terminal.print })
  const platform: Starting = { supervisor: null, firstStart: null }
  // Whoever read our lines is gone: no reason to stop working.
  process.stdout.on('error', () => {})
  stopOnSignals(platform)

  const supervisor = await createSupervisor({
    config,
    version: VERSION,
    logFormat,
    write: terminal.print,
    environment,
    async prepare(layout) {
      if (!values['no-sample']) platform.firstStart = beginFirstStart(layout.home, logger)
      await buildWeb({ outDirectory: layout.webDirectory })
    },
  })
  platform.supervisor = supervisor
  void sayReady(supervisor, platform.firstStart, terminal.print)
  const failure = await supervisor.finished
  await platform.firstStart?.cancel()
  if (failure === null) return 0
  throw new Fault('platform-stopped', failure)
}

/** The hub's modules are loaded where they run; what is wrong with them is better told before anything starts. Fault `config-invalid`. */
async function checkModules(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return
  const { loadHubModules } = await import('../../hub/index.ts')
  await loadHubModules(paths).catch((error: unknown) => {
    throw new Fault('config-invalid', describeError(error))
  })
}

/** What there is so far, for a signal that comes early. */
type Starting = { supervisor: Supervisor | null; firstStart: FirstStart | null }

async function sayReady(
  supervisor: Supervisor,
  firstStart: FirstStart | null,
  print: (line: string) => void,
): Promise<void> {
  const status = await supervisor.healthy.catch(() => null)
  if (status === null) return
  const urls = { watch: status.watchUrl, console: status.consoleUrl }
  await firstStart?.publish(
    createStaff({ home: supervisor.layout.home, consoleUrl: urls.console, token: supervisor.operatorToken }),
  )
  if (supervisor.isStopping()) return
  print(`ready  watch ${urls.watch}  console ${urls.console}`)
}

/** The first signal drains; a second Ctrl-C does not wait. */
function stopOnSignals(platform: Starting): void {
  let interruptedAtMs: number | null = null
  const drain = async (): Promise<void> => {
    platform.supervisor?.drain()
    await platform.firstStart?.cancel()
    if (platform.supervisor === null) process.exit(130)
  }
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void drain())
  process.on('SIGINT', () => {
    const now = performance.now()
    if (interruptedAtMs !== null && now - interruptedAtMs > SAME_INTERRUPT_MS) platform.supervisor?.kill()
    interruptedAtMs ??= now
    void drain()
  })
}

function toLogFormat(text: string): LogFormat {
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`--log: expected text or json, got ${JSON.stringify(text)}`)
}
