import type { DeliveryPolicy, InputTransformer, SubscriptionStart, TargetDefinition } from '../../contracts/index.ts'
import type { Row } from '../../engines/tables/index.ts'

/** A function of this process comes from a module and so has nothing to keep but its kind. */
export type SubscriptionTarget = TargetDefinition | { readonly kind: 'function' }

export type SubscriptionDefinition = {
  readonly name: string
  /** The spoke it belongs to; null: the operator's, or the platform's own code. */
  readonly owner: string | null
  readonly pattern: unknown
  readonly target: SubscriptionTarget
  readonly transformer: InputTransformer | null
  readonly policy: DeliveryPolicy
  readonly state: 'enabled' | 'disabled'
  /** Why it is disabled. */
  readonly detail: string | null
  /** Tells it from an earlier one of its name. */
  readonly generation: number
  /** Rises with every change. */
  readonly revision: number
  readonly createdAtMs: number
}

export type NewSubscription = {
  readonly name: string
  readonly owner: string | null
  readonly pattern: unknown
  readonly target: SubscriptionTarget
  readonly transformer?: InputTransformer | undefined
  readonly policy: DeliveryPolicy
  readonly start: SubscriptionStart
}

export const DEFINITION_COLUMNS =
  'name, owner, pattern, target, transformer, policy, state, detail, generation, revision, created_at_ms'

/** Null for a row that is damaged: the bus says in the log what is wrong with it. */
export function readDefinition(row: Row): SubscriptionDefinition | null {
  try {
    return toDefinition(row)
  } catch {
    return null
  }
}

/** From a row that `put` wrote, whose JSON was checked then. Throws when it is damaged. */
export function toDefinition(row: Row): SubscriptionDefinition {
  const text = (column: string): string | null => (row[column] === null ? null : String(row[column]))
  const json = (column: string): unknown => JSON.parse(text(column) ?? 'null')
  return {
    name: String(row['name']),
    owner: text('owner'),
    pattern: json('pattern'),
    target: json('target') as SubscriptionTarget,
    transformer: json('transformer') as InputTransformer | null,
    policy: json('policy') as DeliveryPolicy,
    state: row['state'] === 'disabled' ? 'disabled' : 'enabled',
    detail: text('detail'),
    generation: Number(row['generation']),
    revision: Number(row['revision']),
    createdAtMs: Number(row['created_at_ms']),
  }
}
