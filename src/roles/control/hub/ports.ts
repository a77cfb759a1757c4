import type {
  AnyEvent,
  DeadLetter,
  EventJourney,
  EventPosition,
  HubOverview,
  Registry,
  ReplayRequest,
  ReplayView,
  SubscriptionRequest,
} from '../../../contracts/index.ts'
import type { Spokes, StreamHub } from '../../../hub/index.ts'
import type { Limits, Logger } from '../../../kernel/index.ts'
import type { Auth } from '../auth.ts'
import type { HubTail } from './hub-tail.ts'
import type { HubViews } from './views.ts'

/** What somebody wants to say; the producer makes an event of it. */
export type EventToPublish = {
  readonly type: string
  readonly subject: string
  readonly data?: unknown
  readonly payload?: { readonly body: ReadableStream<Uint8Array>; readonly contentType: string }
  readonly id?: string
  readonly source?: string
  readonly time?: string
}

/** What the routes need of the hub. A rejection is a Fault; `hub/problems.ts` knows which of them the caller is told. */
export type HubPorts = {
  readonly auth: Auth
  readonly registry: Registry
  readonly spokes: Spokes
  readonly streams: StreamHub
  /** Durable when resolved, in the order given. Nothing is appended if one of them is refused. */
  publish(
    events: readonly EventToPublish[],
  ): Promise<readonly { readonly event: AnyEvent; readonly position: EventPosition }[]>
  appendRecords(
    topic: string,
    records: readonly {
      readonly key: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: ReadableStream<Uint8Array>
    }[],
  ): Promise<readonly EventPosition[]>
  /** Large payloads. `stream` errors at its end when the bytes are not what size and digest say. Faults `claim-missing`, `claim-invalid`. */
  readonly claims: {
    stream(claim: {
      readonly ref: string
      readonly size: number
      readonly digest: string
    }): Promise<ReadableStream<Uint8Array>>
    unchecked(ref: string): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | null>
  }
  /** What there is; how each fares is in `overview`. */
  readonly subscriptions: {
    list(): Promise<readonly SubscriptionFacts[]>
    get(name: string): Promise<SubscriptionFacts | null>
    /** Creates or changes. Faults `subscription-invalid`, `subscription-taken`, `subscriptions-full`. `secret`: of a webhook, where it was made here. */
    put(
      subscription: SubscriptionRequest & { readonly name: string; readonly owner: string | null },
    ): Promise<{ readonly created: boolean; readonly secret: string | null }>
    remove(name: string): Promise<boolean>
    enable(name: string): Promise<boolean>
  }
  readonly replays: {
    list(): Promise<readonly ReplayView[]>
    get(id: string): Promise<ReplayView | null>
    /** Faults `subscription-unknown`, `pattern-invalid`, `hub-busy`. */
    create(subscription: string, request: ReplayRequest): Promise<ReplayView>
    /** As it is then; null: there is none of that id. */
    cancel(id: string): Promise<ReplayView | null>
  }
  readonly deadLetters: {
    /** Newest first. */
    list(filter: DeadLetterFilter): Promise<{ readonly letters: readonly DeadLetter[]; readonly cursor: string | null }>
    /** `generation`: of its subscription; null for a pipe. */
    get(
      id: string,
    ): Promise<
      | (DeadLetter & { readonly generation: number | null; readonly payload: Uint8Array | { readonly ref: string } })
      | null
    >
    /** Faults `dead-letter-unknown`, `dead-letter-closed` (it was redriven or discarded before), `subscription-unknown`. */
    redrive(id: string): Promise<void>
    discard(id: string): Promise<void>
  }
  readonly tail: HubTail
  readonly views: Pick<HubViews, 'list' | 'read'>
  overview(): Promise<HubOverview>
  journey(eventId: string): Promise<EventJourney | null>
  /** An event with the JSON data it refers to put back, as patterns see it. */
  withData(event: AnyEvent): Promise<AnyEvent>
  /** Whether streams are given anything by this process. */
  isBusHere(): boolean
  /** Closes the connection of a request soon, or when it has been idle for `idleMs`: what its answer still holds unread is dropped. */
  cut(request: Request, idleMs?: number): void
  readonly limits: Limits
  readonly logger: Logger
}

export type SubscriptionFacts = {
  readonly name: string
  /** Tells it from an earlier one of its name. */
  readonly generation: number
  readonly owner: string | null
  readonly target: { readonly kind: string }
  readonly policy: { readonly concurrency: number }
}

export type DeadLetterFilter = {
  readonly state?: DeadLetter['state']
  readonly kind?: DeadLetter['kind']
  /** Of a subscription or a pipe. */
  readonly name?: string
  /** Of the subscription of that name. */
  readonly generation?: number
  /** The cursor of the page before. */
  readonly before?: string
  readonly max?: number
}
