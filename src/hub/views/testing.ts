import type { CloudEvent } from '../../contracts/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { DEFAULT_LIMITS, type Limits, type LogFields, type Logger, silentLogger } from '../../kernel/index.ts'
import { createPublisher } from '../publisher.ts'
import { numberOf } from '../testing.ts'
import { defineView, type ViewDefinition } from './definition.ts'

/** Sensitive to order and to repeats. */
export type History = Map<string, number[]>

export function defineHistory(version = 1, more: Partial<ViewDefinition<History>> = {}): ViewDefinition<History> {
  return defineView<History>({
    name: 'history',
    version,
    topics: ['titles', 'media'],
    create: () => new Map(),
    apply(state, event) {
      state.set(event.subject, [...(state.get(event.subject) ?? []), numberOf(event)])
    },
    snapshot: {
      encode: (state) => [...state],
      // What it is given is what `encode` made.
      decode: (json) => new Map(json as [string, number[]][]),
    },
    ...more,
  })
}

/** What a history must be: each id once, in the order it was first said. */
export function historyOf(events: readonly CloudEvent[]): History {
  const state: History = new Map()
  const seen = new Set<string>()
  for (const event of events) {
    if (!seen.has(event.id)) state.set(event.subject, [...(state.get(event.subject) ?? []), numberOf(event)])
    seen.add(event.id)
  }
  return state
}

/** Small, so that a test of a few events passes every bound. */
export const SMALL_VIEW_LIMITS: Limits = { ...DEFAULT_LIMITS, hubViewSnapshotEvents: 5, hubViewSwitchPollMs: 2 }

export const publish = (
  log: Parameters<typeof createPublisher>[0]['log'],
  events: readonly CloudEvent[],
): Promise<void> => createPublisher({ log, source: 't' }).publishMany(events)

export const snapshotKeys = (objects: ObjectsPort): Promise<readonly string[]> => objects.list('views/')

/** A logger that keeps what was said as `warn` or `error`, fields included. */
export function createListeningLogger(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = []
  const say = (message: string, fields?: LogFields): void =>
    void said.push(`${message} ${JSON.stringify(fields ?? {})}`)
  const logger: Logger = { ...silentLogger, warn: say, error: say, with: () => logger }
  return { logger, said }
}
