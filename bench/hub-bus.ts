import { deliveryPolicySchema } from '../src/contracts/index.ts'
import { createDirectoryObjects } from '../src/engines/objects/index.ts'
import { createStoreClient } from '../src/engines/store/index.ts'
import {
  type Bus,
  createBus,
  createClaims,
  createFunctionTarget,
  createProducer,
  createSubscriptions,
  type FunctionHandler,
  type Producer,
} from '../src/hub/index.ts'
import { createLogger, DEFAULT_LIMITS, Fault, systemClock } from '../src/kernel/index.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { benchRegistry, createPatterns } from './hub-events.ts'

/** A producer and a bus that delivers, on the store of this home. */
export type BenchBus = { readonly producer: Producer; readonly bus: Bus; close(): Promise<void> }

/** As control puts them together. Each subscription is a function; `all` has the handler given, the others throw. */
export async function openBenchBus(options: {
  home: string
  subscriptions: number
  handler: FunctionHandler
}): Promise<BenchBus> {
  const layout = layoutOf(options.home)
  const limits = DEFAULT_LIMITS
  const logger = createLogger({ role: 'bench', format: 'text', level: 'warn', write: (line) => console.error(line) })
  const shared = { limits, logger, clock: systemClock }
  const store = createStoreClient({ path: layout.storeSocket, ...shared })
  const { log, tables } = store
  const claims = createClaims({ objects: createDirectoryObjects({ root: layout.objectsDirectory }), tables, ...shared })
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
    producer: createProducer({ log, registry, claims, source: 'bench', ...shared }),
    bus,
    async close() {
      await bus.close()
      await store.close()
    },
  }
}

const READY_MAX_MS = 10_000
