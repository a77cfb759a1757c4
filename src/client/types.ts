/** Types of the events a service deals with: `{ 'com.example.order.placed.v1': { orderId: string } }`. */
export type EventMap = Readonly<Record<string, unknown>>

/** CloudEvents 1.0, JSON format. */
export type HubEvent<M extends EventMap = EventMap, T extends keyof M & string = keyof M & string> = {
  [K in T]: {
    readonly specversion: '1.0'
    readonly id: string
    readonly source: string
    readonly type: K
    readonly subject: string
    readonly time: string
    readonly datacontenttype?: string
    /** Not there when the data went by claim check: `dataref` names it, `delivery.payload()` reads it. */
    readonly data?: M[K]
    readonly dataref?: string
    readonly datasize?: number
    readonly datadigest?: string
    readonly causedby?: string
    readonly replayid?: string
  }
}[T]

export type NewHubEvent<M extends EventMap = EventMap> = {
  [K in keyof M & string]: {
    readonly type: K
    readonly subject: string
    readonly data: M[K]
    /** Made here when absent; the same in every attempt, so that subscribers can tell repeats. */
    readonly id?: string
    readonly time?: string
  }
}[keyof M & string]

export type Published = { readonly id: string; readonly position: string }

export type Delivery<M extends EventMap = EventMap> = {
  /** What to dedupe by: put it into your own database in the transaction that is the effect. */
  readonly id: string
  readonly event: HubEvent<M>
  /** What the subscription's input transformer made of the event; the event itself without one. */
  readonly input: unknown
  readonly position: string
  readonly attempt: number
  /** The replay it belongs to; null when it is live. */
  readonly replay: string | null
  readonly appendedAtMs: number
  /** The data that went by claim check; an error at its end when it is not what the event says. */
  payload(): Promise<ReadableStream<Uint8Array>>
  /** Aborted when the subscription is closed. */
  readonly signal: AbortSignal
}

export type SubscriptionState =
  | { readonly state: 'connected'; readonly window: number }
  | { readonly state: 'disconnected'; readonly reason: string; readonly retryMs: number }

export type SubscribeOptions<M extends EventMap = EventMap> = {
  readonly name: string
  /** In EventBridge's syntax, over the event's own JSON. */
  readonly pattern: Readonly<Record<string, unknown>>
  readonly policy?: Readonly<Record<string, number>>
  readonly transformer?: { readonly paths?: Readonly<Record<string, string>>; readonly template: string }
  /** Where a new subscription begins: `now` when absent. */
  readonly start?: 'now' | 'beginning' | { readonly sinceMs: number }
  /** Resolves: acknowledged. Rejects: tried again by the policy; a `DeliveryRefused`: a dead letter at once. */
  readonly handler: (delivery: Delivery<M>) => Promise<void> | void
  /** Handlers at work at once, 16 when absent; those of one subject go one after the other. */
  readonly concurrency?: number
  /** Ends the subscription's reading: handlers under way are awaited and acknowledged. */
  readonly signal?: AbortSignal
  readonly onState?: ((state: SubscriptionState) => void) | undefined
}

export type ReplayOptions = {
  readonly subscription: string
  readonly fromMs: number
  readonly toMs: number
  readonly pattern?: Readonly<Record<string, unknown>>
  readonly eventsPerSecond?: number
}

export type Replay = { readonly id: string; readonly state: string; readonly read: number; readonly delivered: number }

/** What the hub answered, or that it did not. Compare `code`; `errors` names each field at fault. */
export class HubError extends Error {
  readonly code: string
  readonly status: number
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[]

  constructor(problem: {
    code: string
    status: number
    detail: string
    errors?: readonly { readonly pointer: string; readonly detail: string }[]
    cause?: unknown
  }) {
    super(problem.detail, problem.cause === undefined ? undefined : { cause: problem.cause })
    this.name = 'HubError'
    this.code = problem.code
    this.status = problem.status
    this.errors = problem.errors ?? []
  }
}

/** Thrown by a handler: trying this event again would not help. */
export class DeliveryRefused extends Error {}
