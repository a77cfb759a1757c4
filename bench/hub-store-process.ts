import { parseConfig } from '../src/contracts/index.ts'
import { createLogger } from '../src/kernel/index.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { start } from '../src/roles/store.ts'

/** The `store` role in a process of its own, as a supervisor starts it; lasts until its input ends. Its argument is the home directory. */
const home = process.argv[2] ?? ''
const store = await start({
  ...{ name: 'store', role: 'store', cell: null, port: 0, version: 'bench' },
  config: parseConfig({ home }),
  layout: layoutOf(home),
  logger: createLogger({ role: 'store', format: 'text', write: (line) => console.error(line), level: 'warn' }),
  ...{ viewerKey: null, pathKeys: null, operatorToken: null, metricsToken: null, watchUrl: null },
})
console.log('ready')
for await (const _ of console);
await store.drain()
process.exit(0)
