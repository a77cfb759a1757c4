import { EVENTS, type EventDefinitions, type Registry } from '../../contracts/index.ts'
import { createRegistry } from './create-registry.ts'

/** The platform's own events, one source of definitions beside a user's. */
export const platformDefinitions: EventDefinitions = EVENTS

/** Immutable; what services publish by and read by. */
export const platformRegistry: Registry = createRegistry(platformDefinitions)
