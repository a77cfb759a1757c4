import { toPositionText } from '../../../contracts/index.ts'
import type { StreamEnd, StreamHub, StreamReader } from '../../../hub/index.ts'
import type { Limits } from '../../../kernel/index.ts'
import { toSseMessage } from '../sse-client.ts'

type Delivery = Parameters<Parameters<StreamHub['connect']>[0]['sink']['send']>[0]

const encoder = new TextEncoder()

/**
 * One subscription's deliveries as server-sent events, until the reader goes or is told to. What it has not read yet is
 * bounded: beyond that nothing is sent, and one that stands still so for too long is cut.
 */
export function openDeliveryStream(options: {
  readonly streams: StreamHub
  readonly subscription: string
  readonly owner: string | null
  readonly window: number
  readonly limits: Pick<Limits, 'hubStreamBufferBytesMax' | 'hubStreamStallMs' | 'hubStreamBeatMs'>
}): Response {
  const { streams, subscription, owner, window, limits } = options
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let closed = false
  let lastReadMs = performance.now()
  let wake: (() => void) | null = null
  let reader: StreamReader | null = null

  const write = (text: string): void => {
    const bytes = encoder.encode(text)
    queue.push(bytes)
    queuedBytes += bytes.byteLength
    wake?.()
  }
  const close = (): void => {
    if (closed) return
    closed = true
    clearInterval(beat)
    reader?.close()
    wake?.()
  }
  const cut = (): void => {
    queue = []
    close()
  }
  const beat = setInterval(() => {
    if (queuedBytes > 0 && performance.now() - lastReadMs > limits.hubStreamStallMs) cut()
    else if (queuedBytes === 0) write(': beat\n\n')
  }, limits.hubStreamBeatMs)
  const end = (reason: StreamEnd): void => {
    if (!closed) write(toSseMessage({ event: reason, data: JSON.stringify({ reason }) }))
    close()
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (queue.length === 0 && !closed) await new Promise<void>((resolve) => (wake = resolve))
        wake = null
        lastReadMs = performance.now()
        if (queue.length > 0) controller.enqueue(Buffer.concat(queue))
        queue = []
        queuedBytes = 0
        if (closed) controller.close()
        else reader?.drained()
      },
      cancel: cut,
    },
    { highWaterMark: 0 },
  )
  write(toSseMessage({ event: 'ready', data: JSON.stringify({ subscription, window }) }))
  reader = streams.connect({
    subscription,
    owner,
    tokenId: null,
    window,
    sink: {
      hasRoom: () => !closed && queuedBytes < limits.hubStreamBufferBytesMax,
      send: (delivery) => write(toMessage(delivery)),
      end,
    },
  })
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}

function toMessage({ id, event, input, position, attempt, replay, appendedAtMs }: Delivery): string {
  const data = JSON.stringify({
    id,
    event,
    // Only where a transformer made something else of it: the event would travel twice.
    ...(input === event ? {} : { input }),
    position: toPositionText(position),
    attempt,
    replay,
    appendedAtMs,
  })
  return toSseMessage({ event: 'delivery', id, data })
}
