import { toPositionText } from '../../../contracts/index.ts'
import type { StreamEnd, StreamHub, StreamReader } from '../../../hub/index.ts'
import type { Limits } from '../../../kernel/index.ts'
import { toSseMessage } from '../sse-client.ts'

type Delivery = Parameters<Parameters<StreamHub['connect']>[0]['sink']['send']>[0]

const encoder = new TextEncoder()

export type DeliveryStream = {
  readonly response: Response
  /** Ends it before it was answered with. */
  close(): void
}

/**
 * One subscription's deliveries as server-sent events, until the reader goes or is told to. What it has not read yet is
 * bounded: beyond that nothing is sent, and one that stands still so for too long is cut, whether it is to be sent more or was told the end.
 */
export function openDeliveryStream(options: {
  readonly streams: StreamHub
  readonly subscription: string
  readonly reader: { readonly owner: string | null; readonly tokenId: string | null }
  readonly window: number
  readonly limits: Pick<Limits, 'hubStreamBufferBytesMax' | 'hubStreamStallMs' | 'hubStreamBeatMs'>
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal
  /** Closes the connection, soon or after so long: a stream that errors or ends does not, while what it has is not read. */
  readonly cut: (idleMs?: number) => void
  /** Once: it is read to its end, or the connection is gone. */
  readonly onGone: () => void
}): DeliveryStream {
  const { streams, subscription, window, limits, gone } = options
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let isEnded = false
  let isGone = false
  let lastReadMs = performance.now()
  let wake: (() => void) | null = null
  let reader: StreamReader | null = null
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null

  const write = (text: string): void => {
    const bytes = encoder.encode(text)
    queue.push(bytes)
    queuedBytes += bytes.byteLength
    wake?.()
  }
  /** Nothing more is sent; what is there may be read. */
  const finish = (): void => {
    if (isEnded) return
    isEnded = true
    reader?.close()
    wake?.()
  }
  const leave = (): void => {
    finish()
    if (isGone) return
    isGone = true
    clearInterval(beat)
    queue = []
    gone.removeEventListener('abort', leave)
    options.onGone()
  }
  const cut = (): void => {
    finish()
    queue = []
    clearInterval(beat)
    controller?.error(new Error(`nothing was read for ${limits.hubStreamStallMs} ms`))
    options.cut()
  }
  const beat = setInterval(() => {
    const isStalled = performance.now() - lastReadMs > limits.hubStreamStallMs
    if (isStalled && (queuedBytes > 0 || isEnded)) cut()
    else if (queuedBytes === 0 && !isEnded) write(': beat\n\n')
  }, limits.hubStreamBeatMs)
  const end = (reason: StreamEnd): void => {
    if (!isEnded) write(toSseMessage({ event: reason, data: JSON.stringify({ reason }) }))
    finish()
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull(to) {
        if (queue.length === 0 && !isEnded) await new Promise<void>((resolve) => (wake = resolve))
        wake = null
        lastReadMs = performance.now()
        if (queue.length > 0) to.enqueue(Buffer.concat(queue))
        queue = []
        queuedBytes = 0
        if (!isEnded) return reader?.drained()
        to.close()
        leave()
        // Handed over, which is not yet read.
        options.cut(limits.hubStreamStallMs)
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
  gone.addEventListener('abort', leave)
  write(toSseMessage({ event: 'ready', data: JSON.stringify({ subscription, window }) }))
  reader = streams.connect({
    subscription,
    ...options.reader,
    window,
    sink: {
      hasRoom: () => !isEnded && queuedBytes < limits.hubStreamBufferBytesMax,
      send: (delivery) => write(toMessage(delivery)),
      end,
    },
  })
  if (gone.aborted) leave()
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
  return { response: new Response(stream, { headers }), close: leave }
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
