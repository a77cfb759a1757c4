import type { CloudEvent } from '../contracts/index.ts'
import type { LogPort, LogRecord } from '../engines/log/index.ts'
import { describeError, type Logger } from '../kernel/index.ts'
import { decodeOrSkip } from './subscribe.ts'

/** Ids a view remembers to apply a repeated event once; repeats (a relay's takeover, a retried append) follow closely. */
const IDS_REMEMBERED_MAX = 65_536

export type ViewDefinition<State> = {
  readonly name: string
  /** Of the state's shape; raise it when `apply` changes. */
  readonly version: number
  readonly topics: readonly string[]
  create(): State
  /** Changes `state` in place, or returns the one that replaces it. Must not depend on anything else, so that a rebuild gives the same. */
  // biome-ignore lint/suspicious/noConfusingVoidType: both styles of reducer are welcome
  apply(state: State, event: CloudEvent): State | void
}

export type View<State> = {
  readonly state: State
  /** Events applied so far: rises with every change. */
  readonly version: number
  /** Records of its topics not yet applied. */
  lag(): number
  /** Ms since the log was last heard from, for the topic it was longest ago. */
  silentForMs(): number
  /** Resolves when all that is on the log now has been applied; fault `timeout`. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /** `fn` is called after each applied event; returns how to stop. */
  onChange(fn: (event: CloudEvent) => void): () => void
  close(): Promise<void>
}

export function defineView<State>(definition: ViewDefinition<State>): ViewDefinition<State> {
  return definition
}

/**
 * A view in memory, rebuilt from the log's beginning at every start. An event id takes effect once. Order holds per key
 * within a topic; between topics there is none, so `apply` must not rely on it.
 */
export function createView<State>(options: {
  log: LogPort
  definition: ViewDefinition<State>
  logger: Logger
}): View<State> {
  const { log, definition } = options
  const logger = options.logger.with({ view: definition.name })
  const listeners = new Set<(event: CloudEvent) => void>()
  const isRepeat = createRepeatCheck(IDS_REMEMBERED_MAX)
  let state = definition.create()
  let version = 0

  const apply = (event: CloudEvent): void => {
    try {
      state = definition.apply(state, event) ?? state
      version += 1
    } catch (error) {
      // Stopping here would leave every later title out for one bad event.
      logger.error('an event could not be applied and is left out of the view', {
        event: event.id,
        type: event.type,
        error: describeError(error),
      })
      return
    }
    for (const listener of listeners) notify(listener, event)
  }
  const notify = (listener: (event: CloudEvent) => void, event: CloudEvent): void => {
    try {
      listener(event)
    } catch (error) {
      logger.error('a listener of the view failed', { event: event.id, error: describeError(error) })
    }
  }
  const onRecords = (records: readonly LogRecord[]): void => {
    for (const record of records) {
      const event = decodeOrSkip(record, logger)
      if (event && !isRepeat(event.id)) apply(event)
    }
  }

  const subscriptions = definition.topics.map((topic) => log.subscribe({ topic, start: 'beginning', onRecords }))
  return {
    get state() {
      return state
    },
    get version() {
      return version
    },
    lag: () => subscriptions.reduce((sum, subscription) => sum + subscription.lag(), 0),
    silentForMs: () => Math.max(0, ...subscriptions.map((subscription) => subscription.silentForMs())),
    async caughtUp(wait) {
      await Promise.all(subscriptions.map((subscription) => subscription.caughtUp(wait)))
    },
    onChange(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
    },
  }
}

/** True for an id it was asked about before, among the last `max` to 2 × `max`. */
export function createRepeatCheck(max: number): (id: string) => boolean {
  let young = new Set<string>()
  let old = new Set<string>()
  return (id) => {
    if (young.has(id) || old.has(id)) return true
    young.add(id)
    if (young.size >= max) {
      old = young
      young = new Set()
    }
    return false
  }
}
