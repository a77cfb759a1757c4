import type { AnyEvent, CloudEvent } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import { describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { createMatcher, parsePattern } from '../patterns/index.ts'
import type { DecodeRecord } from './decode.ts'
import type { ViewDefinition } from './definition.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { createRepeatCheck } from './repeat-check.ts'
import type { Restored, Taken } from './snapshot-store.ts'

/** The state and what has been applied to it, whatever it is read from. */
export type ViewState<State> = {
  readonly state: State
  readonly applied: number
  /** Events that `apply` threw for. */
  readonly leftOut: number
  /** A promise only where the event's data must be loaded; it rejects when the view closes first. */
  take(record: LogRecord): void | Promise<void>
  /** All that a snapshot needs besides the positions. */
  encode(): Pick<Taken, 'applied' | 'ids' | 'state'>
  restore(restored: Restored<State>): void
  readonly changed: Listeners<CloudEvent>
}

export function createViewState<State>(options: {
  definition: ViewDefinition<State>
  decode: DecodeRecord
  limits: Pick<Limits, 'hubViewIdsMax'>
  logger: Logger
}): ViewState<State> {
  const { definition, decode, limits, logger } = options
  const changed = createListeners<CloudEvent>(logger)
  const matches = createFilter(definition)
  let ids = createRepeatCheck(limits.hubViewIdsMax)
  let state = definition.create()
  let applied = 0
  let leftOut = 0

  const apply = (event: CloudEvent): void => {
    try {
      state = definition.apply(state, event) ?? state
      applied += 1
    } catch (error) {
      // Stopping here would leave every later title out for one bad event.
      leftOut += 1
      logger.error('an event could not be applied and is left out of the view', {
        event: event.id,
        type: event.type,
        error: describeError(error),
      })
      return
    }
    changed.tell(event)
  }

  const accept = (event: CloudEvent | null): void => {
    if (event && matches(event) && !ids.isRepeat(identityOf(event))) apply(event)
  }

  return {
    get state() {
      return state
    },
    get applied() {
      return applied
    },
    get leftOut() {
      return leftOut
    },
    changed,
    take(record) {
      const decoded = decode(record)
      return decoded instanceof Promise ? decoded.then(accept) : accept(decoded)
    },
    encode: () => ({ applied, ids: ids.remembered(), state: definition.snapshot?.encode(state) }),
    restore(restored) {
      state = restored.state
      applied = restored.applied
      ids = createRepeatCheck(limits.hubViewIdsMax, restored.ids)
    },
  }
}

function createFilter<State>({ name, on }: ViewDefinition<State>): (event: CloudEvent) => boolean {
  if (on === undefined) return () => true
  const parsed = parsePattern(on)
  if (!parsed.ok) throw new Error(`view ${name}: on: ${parsed.detail}; defineView would have said so`)
  const matcher = createMatcher()
  matcher.add(name, parsed.pattern)
  return (event) => matcher.matchParsed(event).length > 0
}

/** CloudEvents: an id is unique among those of its source. */
const identityOf = ({ id, source }: AnyEvent): string => `${id} ${source}`
