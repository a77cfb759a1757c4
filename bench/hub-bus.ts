import { deliveryPolicySchema } from '../src/contracts/index.ts'
import { createDirectoryObjects } from '../src/engines/objects/index.ts'
import { createStoreClient } from '../src/engines/store/index.ts'
import {
  type Bus,
  type Claims,
  createBus,
  createClaims,
  createFunctionTarget,
  createProducer,
  createSubscriptions,
  type FunctionHandler,
  type Producer,
} from '../src/hub/index.ts'
import {
  type Clock,
  createLogger,
  DEFAULT_LIMITS,
  Fault,
  type Limits,
  type Logger,
  systemClock,
} from '../src/kernel/index.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { benchRegistry, createPatterns } from './hub-events.ts'

/** On the store of this home. */
export type BenchBus = { readonly bus: Bus; close(): Promise<void> }

/** Whoever publishes: a process of its own, as a cell or a worker is. */
export async function openBenchProducer(
  home: string,
): Promise<{ readonly producer: Producer; close(): Promise<void> }> {
  const { shared, store, claims } = openStore(home)
  const producer = createProducer({ log: store.log, registry: benchRegistry, claims, source: 'bench', ...shared })
  return { producer, close: () => store.close() }
}

/** As control puts them together. Each subscription is a function; `all` has the handler given, the others throw. */
export async function openBenchBus(options: {
  home: string
  subscriptions: number
  handler: FunctionHandler
}): Promise<BenchBus> {
  const { shared, store, claims } = openStore(options.home)
  const { limits } = shared
  const { log, tables } = store
  const registry = benchRegistry
  const subscriptions = createSubscriptions({ tables, registry, log, ...shared })
  for (const [name, pattern] of createPatterns(options.subscriptions))
    await subscriptions.put({
      ...{ name, owner: null, pattern, target: { kind: 'function' }, start: 'beginning' },
      policy: deliveryPolicySchema.parse({}),
    })
  const refuse = (): never => {
    throw new Fault('refused', 'this subscription matches no event of the run')
  }
  const bus = createBus({
    ...{ log, tables, registry, owner: 'bench', ...shared },
    loadClaim: () => Promise.reject(new Fault('claim-missing', 'no event of the run has a claim')),
    targets: ({ name }) =>
      createFunctionTarget({ name, handler: name === 'all' ? options.handler : refuse, claims, registry, limits }),
  })
  const deadlineMs = performance.now() + READY_MAX_MS
  while (!(bus.holds() && bus.places().size === options.subscriptions)) {
    if (performance.now() > deadlineMs) throw new Error(`the bus did not begin within ${READY_MAX_MS} ms`)
    await Bun.sleep(10)
  }
  return {
    bus,
    async close() {
      await bus.close()
      await store.close()
    },
  }
}

const READY_MAX_MS = 10_000

function openStore(home: string): { shared: Shared; store: StoreClient; claims: Claims } {
  const layout = layoutOf(home)
  const logger = createLogger({ role: 'bench', format: 'text', level: 'warn', write: (line) => console.error(line) })
  const shared = { limits: DEFAULT_LIMITS, logger, clock: systemClock }
  const store = createStoreClient({ path: layout.storeSocket, ...shared })
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  return { shared, store, claims: createClaims({ objects, tables: store.tables, ...shared }) }
}

type Shared = { readonly limits: Limits; readonly logger: Logger; readonly clock: Clock }
type StoreClient = ReturnType<typeof createStoreClient>
