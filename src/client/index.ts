import { createEventId } from './event-id.ts'
import { createHubHttp, type HubFetch } from './http.ts'
import { runSubscription } from './subscribe.ts'
import type { EventMap, NewHubEvent, Published, Replay, ReplayOptions, SubscribeOptions } from './types.ts'

export type { HubFetch } from './http.ts'
export {
  type Delivery,
  DeliveryRefused,
  type EventMap,
  HubError,
  type HubEvent,
  type NewHubEvent,
  type Published,
  type Replay,
  type ReplayOptions,
  type SubscribeOptions,
  type SubscriptionState,
} from './types.ts'

export type PublishOptions = { readonly signal?: AbortSignal }

export type NewPayload = {
  readonly type: string
  readonly subject: string
  readonly contentType: string
  /** A stream can be sent once; a Blob or bytes are sent again where that may help. */
  readonly body: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly id?: string
  readonly time?: string
}

/** A service's way to Tentpole's hub, over HTTP and server-sent events. Runs wherever there is `fetch`. */
export type HubClient<M extends EventMap = EventMap> = {
  /** On disk when it resolves, in this order. Repeated under the same ids while the hub is busy or away (8 times); HubError `event-invalid` names each field at fault, and nothing of the batch was published then. */
  publish(events: readonly NewHubEvent<M>[], options?: PublishOptions): Promise<readonly Published[]>
  /** One event whose data is bytes, up to 40 MB. */
  publishPayload(payload: NewPayload, options?: PublishOptions): Promise<Published>
  /**
   * Creates the subscription where there is none and hands over its events: at least once, in order per subject. Comes back by itself
   * whenever the connection is lost. Resolves after `signal` is aborted; rejects when coming back cannot help (HubError
   * `token-needed`, `subscription-invalid`, …, or `replaced`: another reader took over).
   */
  subscribe(options: SubscribeOptions<M>): Promise<void>
  /** Delivers what was once more, to one subscription, marked as a replay. */
  replay(options: ReplayOptions): Promise<Replay>
}

export function createHubClient<M extends EventMap = EventMap>(options: {
  /** Of Tentpole's console port: `http://localhost:8081`. */
  readonly url: string
  /** `tps_…`, told when the spoke was created. */
  readonly token: string
  readonly fetch?: HubFetch
}): HubClient<M> {
  const http = createHubHttp({ fetch: (input, init) => fetch(input, init), ...options })
  const toEvents = async (response: Response): Promise<readonly Published[]> =>
    ((await response.json()) as { events: readonly Published[] }).events // the hub's contract

  return {
    async publish(events, { signal } = {}) {
      if (events.length === 0) return []
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events.map(toCloudEvent)),
      }
      return toEvents(await http.sendWithRetries('/events', init, { signal }))
    },
    async publishPayload(payload, { signal } = {}) {
      const init = toBinary(payload)
      const isOnce = payload.body instanceof ReadableStream
      const response = isOnce
        ? await http.send('/events', signal ? { ...init, signal } : init)
        : await http.sendWithRetries('/events', init, { signal })
      const [published] = await toEvents(response)
      return published ?? { id: '', position: '' }
    },
    // The handler is given what the pattern lets through; that these are events of M is the caller's to know.
    subscribe: (subscription) => runSubscription(http, subscription as unknown as SubscribeOptions),
    async replay({ subscription, ...request }) {
      const response = await http.send(`/subscriptions/${encodeURIComponent(subscription)}/replays`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      return (await response.json()) as Replay // the hub's contract
    },
  }
}

function toCloudEvent(event: NewHubEvent): Record<string, unknown> {
  const { id = createEventId(), time = new Date().toISOString(), type, subject, data } = event
  return { specversion: '1.0', id, source: 'spoke', type, subject, time, datacontenttype: 'application/json', data }
}

/** CloudEvents over HTTP in binary mode; `duplex` is what `fetch` asks for where a body is a stream. */
function toBinary(payload: NewPayload): RequestInit {
  const { id = createEventId(), time = new Date().toISOString(), type, subject, contentType, body } = payload
  const headers = {
    'content-type': contentType,
    'ce-specversion': '1.0',
    'ce-id': encodeURIComponent(id),
    'ce-source': 'spoke',
    'ce-type': encodeURIComponent(type),
    'ce-subject': encodeURIComponent(subject),
    'ce-time': time,
  }
  const init: RequestInit = { method: 'POST', headers, body }
  return body instanceof ReadableStream ? Object.assign(init, { duplex: 'half' }) : init
}
