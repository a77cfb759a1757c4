import type { DeliveryPolicy, EventDefinitions, SubscriptionStart } from '../../contracts/index.ts'
import type { PipeDefinition } from '../pipe/index.ts'
import type { FunctionHandler } from '../targets/function.ts'
import type { ViewDefinition } from '../views/index.ts'

/** A function of this process that is given the events its pattern matches. */
export type HubSubscription = {
  /** Of its position: another name begins anew. */
  readonly name: string
  /** In EventBridge's syntax; it sees the event as `{ id, source, type, subject, time, data, … }`. */
  readonly pattern: Readonly<Record<string, unknown>>
  /** At least once per event: `context.inbox()` makes an effect in `tables` happen once. */
  readonly handler: FunctionHandler
  /** What is left out has the defaults of `deliveryPolicySchema`. */
  readonly policy?: Partial<DeliveryPolicy>
  /** For a new subscription; `now` when it is left out. */
  readonly start?: SubscriptionStart
}

/** What a file named in the configuration (`hub.modules`) exports as its default. */
export type HubModule = {
  /** By type, version included; the platform's own are there besides. */
  readonly events?: EventDefinitions
  readonly pipes?: readonly PipeDefinition[]
  readonly subscriptions?: readonly HubSubscription[]
  readonly views?: readonly ViewDefinition<unknown>[]
}

/** Describes a module of the hub; checked when it is loaded. The identity function, for the types. */
export function defineHub(module: HubModule): HubModule {
  return module
}
