import { z } from 'zod'
import {
  type AnyEvent,
  type DeliveryPolicy,
  deliveryPolicySchema,
  type EventDefinitions,
  type Registry,
} from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { DEFAULT_LIMITS, Fault, type Limits, silentLogger } from '../../kernel/index.ts'
import { createRegistry, platformDefinitions } from '../registry/index.ts'
import { openTestEngines, type TestEngines } from '../testing.ts'
import { type Bus, type BusOptions, createBus } from './bus.ts'
import type { NewSubscription } from './definition.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import type { Delivery, Outcome, Target } from './target.ts'

/** For tests: events of a bank, its engines, and a bus with targets of the test's own. */
export const TYPE = 'com.example.account.changed.v1'
export const definitions: EventDefinitions = {
  [TYPE]: { topic: 'accounts', data: z.object({ n: z.int(), text: z.string().optional() }) },
  'com.example.branch.opened.v1': { topic: 'branches', data: z.object({ n: z.int() }) },
}

export type Bed = TestEngines & {
  readonly registry: Registry
  readonly subscriptions: Subscriptions
  readonly bus: Bus
  publish(events: readonly { key: string; n: number; type?: string; text?: string }[]): Promise<void>
  put(
    name: string,
    options?: Partial<Omit<NewSubscription, 'policy'>> & { policy?: Partial<DeliveryPolicy> },
  ): Promise<void>
  /** A second one, or one after the first was closed. */
  startBus(options?: Partial<BusOptions>): Bus
}

export const FAST: DeliveryPolicy = deliveryPolicySchema.parse({ backoffMinMs: 10, backoffMaxMs: 20 })

export async function openBed(options: {
  deliver: (delivery: Delivery) => Promise<Outcome>
  limits?: Partial<Limits>
  target?: Partial<Target>
  bus?: Partial<BusOptions>
}): Promise<Bed> {
  const engines = await openTestEngines()
  const { log, tables } = engines
  const registry = createRegistry(platformDefinitions, definitions)
  const limits: Limits = { ...DEFAULT_LIMITS, hubBusSweepMs: 10, hubPositionsSaveMs: 50, ...options.limits }
  const subscriptions = createSubscriptions({ tables, registry, log, limits })
  const target: Target = { kind: 'function', description: 'a test', deliver: options.deliver, ...options.target }
  const buses: Bus[] = []
  const startBus = (more: Partial<BusOptions> = {}): Bus => {
    const bus = createBus({
      ...{ log, tables, registry, limits, owner: 'test', logger: silentLogger, targets: () => target },
      loadClaim: () => Promise.reject(new Fault('claim-missing', 'no claims in this test')),
      ...options.bus,
      ...more,
    })
    buses.push(bus)
    return bus
  }
  const bus = startBus()
  return {
    ...engines,
    ...{ registry, subscriptions, bus, startBus },
    publish: (events) => publishTo(log, events),
    async put(name, more = {}) {
      await subscriptions.put({
        ...{ name, owner: null, pattern: { type: [TYPE] }, target: { kind: 'function' }, start: 'beginning' },
        ...more,
        policy: { ...FAST, ...more.policy },
      })
    },
    async close() {
      for (const one of buses) await one.close()
      await engines.close()
    },
  }
}

export async function publishTo(
  log: LogPort,
  events: readonly { key: string; n: number; type?: string; text?: string }[],
): Promise<void> {
  const byTopic = Map.groupBy(events, ({ type = TYPE }) => definitions[type]?.topic ?? 'accounts')
  for (const [topic, some] of byTopic)
    await log.append(
      topic,
      some.map(({ key, n, type = TYPE, text }) => ({ key, value: encode(toTestEvent({ key, n, type, text })) })),
    )
}

/** One whose data is behind a claim. */
export function toClaimedRecord(key: string, n: number): { key: string; value: Uint8Array } {
  const { data: _, ...event } = toTestEvent({ key, n, type: TYPE, text: undefined })
  const digest = `sha-256=${'0'.repeat(64)}`
  return { key, value: encode({ ...event, dataref: 'claims/2026-11-21/x', datasize: 7, datadigest: digest }) }
}

/** `loadClaim` of data that is away until `isBack`. */
export function createAway(): { isBack: boolean; readonly loadClaim: () => Promise<Uint8Array> } {
  const away = {
    isBack: false,
    async loadClaim(): Promise<Uint8Array> {
      if (!away.isBack) throw new Fault('objects-unavailable', 'away in this test')
      return Buffer.from('{"n":1}')
    },
  }
  return away
}

/** Its id says its key and number. */
function toTestEvent({
  key,
  n,
  type,
  text,
}: {
  key: string
  n: number
  type: string
  text: string | undefined
}): AnyEvent {
  return {
    specversion: '1.0',
    id: `${key}-${n}`,
    source: 'test',
    type,
    subject: key,
    time: '2026-11-21T12:00:00Z',
    datacontenttype: 'application/json',
    data: text === undefined ? { n } : { n, text },
  }
}

function encode(event: AnyEvent): Uint8Array {
  return Buffer.from(JSON.stringify(event))
}

export const DONE: Outcome = { kind: 'done' }
export const failed = (reason = 'no'): Outcome => ({ kind: 'failed', reason })
