import { type Acknowledger, createAcknowledger } from './acknowledger.ts'
import { backoffMs, type HubHttp, isPassing, pause } from './http.ts'
import { createSseParser, type SseMessage } from './sse.ts'
import { type Delivery, HubError, type HubEvent, type SubscribeOptions } from './types.ts'
import { createWorkers, type Workers } from './workers.ts'

const CONCURRENCY = 16
/** The hub says something every few seconds; a connection that is silent for so long is dead. */
const SILENCE_MAX_MS = 20_000
/** Why the hub ends a stream for good; anything else is a reason to come back. */
const ENDS: ReadonlySet<string> = new Set(['replaced', 'revoked', 'removed'])

/** Resolves when `signal` is aborted and everything begun is acknowledged. Rejects when reconnecting cannot help. */
export async function runSubscription(http: HubHttp, options: SubscribeOptions): Promise<void> {
  const { name, concurrency = CONCURRENCY, handler, onState } = options
  const signal = options.signal ?? new AbortController().signal
  const acknowledger = createAcknowledger({ http, subscription: name, eager: Math.max(1, Math.ceil(concurrency / 2)) })
  const workers = createWorkers({ handler, concurrency, acknowledger })
  /** Open until the last acknowledgement was taken: what is under way on a connection ends with it. */
  const connection = new AbortController()
  let ending: Promise<void> | null = null
  const end = (): Promise<void> => {
    ending ??= workers
      .stop()
      .then(acknowledger.finish)
      .finally(() => connection.abort())
    return ending
  }
  signal.addEventListener('abort', end)
  let tries = 0
  let known = false
  try {
    while (!signal.aborted) {
      try {
        // Once is enough, unless somebody removed it.
        if (!known) await putSubscription(http, options, concurrency)
        known = true
        await readStream(http, {
          path: `/subscriptions/${name}/events?window=${concurrency}`,
          signal: connection.signal,
          onMessage(message) {
            tries = 0
            return takeMessage(message, { http, workers, acknowledger, signal, onState })
          },
        })
        throw new HubError({ code: 'stream-ended', status: 0, detail: 'the hub ended the stream' })
      } catch (error) {
        workers.forgetWaiting()
        if (signal.aborted) return
        if (error instanceof HubError && error.status === 404 && known) known = false
        else if (error instanceof HubError && (ENDS.has(error.code) || !isPassing(error))) throw error
        tries += 1
        const retryMs = backoffMs(tries, error)
        onState?.({ state: 'disconnected', reason: error instanceof Error ? error.message : String(error), retryMs })
        await pause(retryMs, signal)
      }
    }
  } finally {
    signal.removeEventListener('abort', end)
    await end()
  }
}

async function putSubscription(http: HubHttp, options: SubscribeOptions, concurrency: number): Promise<void> {
  const { name, pattern, policy, transformer, start, signal } = options
  await http.sendWithRetries(
    `/subscriptions/${encodeURIComponent(name)}`,
    {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        pattern,
        target: { kind: 'stream' },
        policy: { concurrency, ...policy },
        transformer,
        start,
      }),
    },
    { signal },
  )
}

/** Reads until the stream ends, by itself or because it is silent; never faster than `onMessage` resolves. */
async function readStream(
  http: HubHttp,
  options: { path: string; signal: AbortSignal; onMessage(message: SseMessage): Promise<void> },
): Promise<void> {
  const silence = new AbortController()
  const either = AbortSignal.any([options.signal, silence.signal])
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS)
  }
  wait()
  try {
    const { body } = await http.send(options.path, { headers: { accept: 'text/event-stream' }, signal: either })
    const parser = createSseParser()
    const reader = body?.getReader()
    // Some runtimes do not end a body when its request is aborted.
    either.addEventListener('abort', () => void reader?.cancel().catch(() => {}))
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      for (const message of parser.feed(read.value)) {
        // Waiting for room is our silence, not the hub's.
        clearTimeout(timer)
        await options.onMessage(message)
      }
      wait()
    }
  } finally {
    clearTimeout(timer)
    // Whatever ended it, the connection must not go on being read by nobody.
    silence.abort()
  }
}

async function takeMessage(
  { event, id, data, isCut }: SseMessage,
  {
    http,
    workers,
    acknowledger,
    signal,
    onState,
  }: { http: HubHttp; workers: Workers; acknowledger: Acknowledger; signal: AbortSignal } & Pick<
    SubscribeOptions,
    'onState'
  >,
): Promise<void> {
  if (ENDS.has(event)) throw new HubError({ code: event, status: 0, detail: `the hub ended the stream: ${event}` })
  if (event === 'ready') onState?.({ state: 'connected', window: (JSON.parse(data) as { window: number }).window }) // the hub's contract
  if (event !== 'delivery') return
  if (isCut) {
    // Trying again would end the same way.
    acknowledger.add(id, { kind: 'nack', reason: 'the message is larger than the client takes', final: true })
    return
  }
  workers.take(toDelivery(data, http, signal))
  await workers.room()
}

function toDelivery(text: string, http: HubHttp, signal: AbortSignal): Delivery {
  const json = JSON.parse(text) as Omit<Delivery, 'payload' | 'signal'> // the hub's contract
  return {
    ...json,
    input: Object.hasOwn(json, 'input') ? json.input : json.event,
    signal,
    payload: () => openPayload(http, json.event, signal),
  }
}

async function openPayload(http: HubHttp, event: HubEvent, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const { dataref, datasize, datadigest } = event
  if (dataref === undefined)
    throw new HubError({ code: 'payload-none', status: 0, detail: `event ${event.id} has its data in itself` })
  const query = new URLSearchParams({ size: String(datasize), digest: String(datadigest) })
  const { body } = await http.send(`/payloads/${dataref}?${query}`, { signal })
  if (!body)
    throw new HubError({ code: 'payload-missing', status: 0, detail: `the payload of event ${event.id} has no body` })
  return body
}
