import type { AnyEvent, CloudEvent } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import { parsePattern } from '../patterns/index.ts'

/** `Event` is `AnyEvent` for a view of a user's events, which tells them apart by `type`. */
export type ViewDefinition<State, Event extends AnyEvent = CloudEvent> = {
  readonly name: string
  /**
   * Of the state's shape and meaning; to be raised when `apply`, `on` or `topics` change. Snapshots of another version are not
   * looked at, so a new version is built from the beginning.
   */
  readonly version: number
  readonly topics: readonly string[]
  /** An event pattern in EventBridge's syntax (`docs/event-patterns.md`); the view sees only events that match. Absent: all. */
  readonly on?: Readonly<Record<string, unknown>>
  create(): State
  /** Changes `state` in place, or returns the one that replaces it. Must not depend on anything else, so that a rebuild gives the same. */
  // biome-ignore lint/suspicious/noConfusingVoidType: both styles of reducer are welcome
  apply(state: State, event: Event): State | void
  /** How the state is kept between starts. Absent: it is rebuilt at each. */
  readonly snapshot?: {
    /** JSON that says the whole state. Called between two events; what it returns is written out before the next. */
    encode(state: State): unknown
    /** A new state from what `encode` returned. What it throws makes the snapshot count as unreadable. */
    decode(json: unknown): State
  }
}

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Describes a view. Fault `view-invalid` names everything that is wrong with it. */
export function defineView<State, Event extends AnyEvent = CloudEvent>(
  definition: ViewDefinition<State, Event>,
): ViewDefinition<State, Event> {
  const faults = findFaults(definition)
  if (faults.length === 0) return definition
  throw new Fault('view-invalid', `view "${definition.name}": ${faults.join('; ')}`)
}

function findFaults({
  name,
  version,
  topics,
  on,
}: Pick<ViewDefinition<unknown>, 'name' | 'version' | 'topics' | 'on'>): string[] {
  const faults: string[] = []
  if (!NAME.test(name)) faults.push(`name: expected 1 to 64 of a-z, 0-9 and "-", got ${JSON.stringify(name)}`)
  if (!Number.isSafeInteger(version) || version < 1)
    faults.push(`version: expected a whole number from 1 on, got ${version}`)
  if (topics.length === 0 || new Set(topics).size !== topics.length)
    faults.push(`topics: expected at least one and none twice, got ${JSON.stringify(topics)}`)
  const parsed = on === undefined ? null : parsePattern(on)
  if (parsed && !parsed.ok) faults.push(`on: ${parsed.detail}`)
  return faults
}
