import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EventDefinitions } from '../../contracts/index.ts'
import { describeError, Fault } from '../../kernel/index.ts'

/** The events of a user's hub module: `export default defineHub({ events, … })`. What is in them, the registry checks. */
export async function loadDefinitions(file: string): Promise<EventDefinitions> {
  let loaded: { readonly default?: unknown }
  try {
    loaded = await import(pathToFileURL(resolve(file)).href)
  } catch (cause) {
    throw new Fault('file-unreadable', `${file}: expected a hub module, ${describeError(cause)}`, { cause })
  }
  const hub = loaded.default
  const events = typeof hub === 'object' && hub !== null && 'events' in hub ? hub.events : undefined
  if (typeof events !== 'object' || events === null || !Object.values(events).every(isObject))
    throw new Fault(
      'registry-invalid',
      `${file}: expected "export default defineHub({ events: { 'com.example.order.placed.v1': { topic, data } } })"`,
    )
  return events as EventDefinitions // objects by name; `createRegistry` says what each lacks
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
