import { pathToFileURL } from 'node:url'
import type { z } from 'zod'
import type { DeliveryPolicy, EventDefinitions, Registry, SubscriptionStart } from '../../contracts/index.ts'
import { describeError, Fault } from '../../kernel/index.ts'
import type { PipeDefinition } from '../pipe/index.ts'
import { createRegistry, platformDefinitions } from '../registry/index.ts'
import type { ViewDefinition } from '../views/index.ts'
import type { HubModule, HubSubscription } from './define-hub.ts'
import { findModuleFaults } from './find-faults.ts'
import { moduleSchema } from './module-schema.ts'

/** All modules together, checked. */
export type LoadedHub = {
  /** The platform's events and theirs. */
  readonly registry: Registry
  readonly pipes: readonly PipeDefinition[]
  readonly subscriptions: readonly LoadedSubscription[]
  readonly views: readonly ViewDefinition<unknown>[]
}
export type LoadedSubscription = Omit<HubSubscription, 'policy' | 'start'> & {
  readonly policy: DeliveryPolicy
  readonly start: SubscriptionStart
}

/**
 * Imports the modules at these absolute paths and checks them together. Fault `hub-invalid`, whose message lists every
 * fault, one a line, and whose `detail.faults` has them.
 */
export async function loadHubModules(paths: readonly string[]): Promise<LoadedHub> {
  const imported = await Promise.all(paths.map(importModule))
  const modules = imported.flatMap((each) => (each.ok ? [each.module] : []))
  const registry = combine(
    modules,
    imported.flatMap((each) => (each.ok ? [] : each.faults)),
  )
  return {
    registry,
    pipes: modules.flatMap(({ definition }) => definition.pipes ?? []),
    subscriptions: modules.flatMap(({ subscriptions }) => subscriptions),
    views: modules.flatMap(({ definition }) => definition.views ?? []),
  }
}

type Checked = { readonly definition: HubModule; readonly subscriptions: readonly LoadedSubscription[] }
type Imported =
  | { readonly ok: true; readonly module: Checked }
  | { readonly ok: false; readonly faults: readonly string[] }

async function importModule(path: string): Promise<Imported> {
  let exported: { readonly default?: unknown }
  try {
    exported = (await import(pathToFileURL(path).href)) as { default?: unknown } // a module's exports have no type before they are looked at
  } catch (error) {
    return { ok: false, faults: [`${path}: cannot be loaded: ${describeError(error)}`] }
  }
  if (exported.default === undefined)
    return { ok: false, faults: [`${path}: expected "export default defineHub({ ... })", got no default export`] }
  const checked = moduleSchema.safeParse(exported.default)
  if (!checked.success) return { ok: false, faults: checked.error.issues.map((issue) => toSentence(path, issue)) }
  const definition = exported.default as HubModule // its shape has just been checked
  const subscriptions = (definition.subscriptions ?? []).map((subscription, at) => ({
    ...subscription,
    ...checked.data.subscriptions[at],
  })) as LoadedSubscription[] // what the schema filled in is there for each
  return { ok: true, module: { definition, subscriptions } }
}

const toSentence = (path: string, issue: z.core.$ZodIssue): string =>
  `${path}: ${issue.path.join('.') || '(module)'}: ${issue.message}`

/** What they say together is looked at once each is good: a missing event may be that of a module that was not loaded. */
function combine(modules: readonly Checked[], faults: readonly string[]): Registry {
  if (faults.length > 0) throw toInvalid(faults)
  const definitions = modules.map(({ definition }) => definition)
  const registry = combineEvents(definitions.map(({ events }) => events ?? {}))
  const found = findModuleFaults(definitions, registry)
  if (found.length > 0) throw toInvalid(found)
  return registry
}

function combineEvents(sources: readonly EventDefinitions[]): Registry {
  try {
    return createRegistry(platformDefinitions, ...sources)
  } catch (error) {
    const faults = error instanceof Fault ? error.detail['faults'] : undefined
    if (!Array.isArray(faults)) throw error
    throw toInvalid(faults.map((fault) => `events: ${fault}`))
  }
}

function toInvalid(faults: readonly string[]): Fault {
  const count = `${faults.length} fault${faults.length === 1 ? '' : 's'}`
  const lines = faults.map((fault) => `  ${fault}`).join('\n')
  return new Fault('hub-invalid', `the modules of the hub have ${count}:\n${lines}`, { detail: { faults } })
}
