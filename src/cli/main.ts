import { describeError, Fault } from '../kernel/index.ts'
import { VERSION } from './configuration.ts'
import { processTerminal } from './terminal.ts'
import { USAGE, UsageError } from './usage.ts'
import type { Verb } from './verbs/command.ts'

/** Loaded when asked for: `status` has no use for what `up` needs. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  up: async () => (await import('./verbs/up.ts')).up,
  status: async () => (await import('./verbs/status.ts')).status,
  publish: async () => (await import('./verbs/publish.ts')).publish,
  titles: async () => (await import('./verbs/titles.ts')).titles,
  withdraw: async () => (await import('./verbs/withdraw.ts')).withdraw,
  revoke: async () => (await import('./verbs/revoke.ts')).revoke,
  purge: async () => (await import('./verbs/purge.ts')).purge,
  edge: async () => (await import('./verbs/edge.ts')).edge,
  keys: async () => (await import('./verbs/keys.ts')).keys,
  console: async () => (await import('./verbs/console.ts')).consoleLink,
  rules: async () => (await import('./verbs/rules.ts')).rules,
  schemas: async () => (await import('./verbs/schemas.ts')).schemas,
  events: async () => (await import('./verbs/events.ts')).events,
  'dead-letters': async () => (await import('./verbs/dead-letters.ts')).deadLetters,
  subscriptions: async () => (await import('./verbs/subscriptions.ts')).subscriptions,
  spokes: async () => (await import('./verbs/spokes.ts')).spokes,
  storm: async () => (await import('./verbs/storm.ts')).storm,
}

process.exitCode = await run(process.argv.slice(2))
// What is still closing need not be waited for; what is still being written must be.
await new Promise((resolve) => process.stdout.write('', resolve))
process.exit()

async function run([name, ...args]: string[]): Promise<number> {
  const terminal = processTerminal
  try {
    if (name === 'help' || name === '--help' || name === '-h' || args.includes('--help')) {
      terminal.print(USAGE)
      return 0
    }
    if (name === '--version' || name === '-v') {
      terminal.print(VERSION)
      return 0
    }
    if (name === undefined) throw new UsageError('expected a verb')
    const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
    if (!load) throw new UsageError(`unknown verb ${JSON.stringify(name)}`)
    const verb = await load()
    return await verb({ args, environment: process.env, terminal })
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.complain(`tentpole: ${error.message}\n\n${USAGE}`)
      return 2
    }
    terminal.complain(`tentpole: ${describeError(error)}`)
    if (!(error instanceof Fault) && error instanceof Error) terminal.complain(error.stack ?? '')
    return error instanceof Fault && error.code === 'config-invalid' ? 2 : 1
  }
}
