const encoder = new TextEncoder()

/** One reader of server-sent events. What it has not read yet is bounded: beyond that it is cut, and comes back by itself. */
export type SseClient = {
  readonly stream: ReadableStream<Uint8Array>
  send(text: string): void
  close(): void
}

export function createSseClient(options: { bufferBytesMax: number; onClose(): void }): SseClient {
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let closed = false
  let wake: (() => void) | null = null
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null

  const close = (): void => {
    if (closed) return
    closed = true
    wake?.()
    options.onClose()
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull(to) {
        if (queue.length === 0 && !closed) await new Promise<void>((resolve) => (wake = resolve))
        wake = null
        if (queue.length > 0) to.enqueue(Buffer.concat(queue))
        queue = []
        queuedBytes = 0
        if (closed) to.close()
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  )

  return {
    stream,
    close,
    send(text) {
      if (closed) return
      const bytes = encoder.encode(text)
      queuedBytes += bytes.byteLength
      if (queuedBytes > options.bufferBytesMax) {
        queue = []
        close()
        // What was handed over and is not read goes too: the end alone would wait behind it.
        controller?.error(new Error(`more than ${options.bufferBytesMax} bytes were not read`))
        return
      }
      queue.push(bytes)
      wake?.()
    },
  }
}

/** One message; `data` must not contain line breaks (JSON does not). */
export function toSseMessage(message: { event?: string; id?: string; data: string }): string {
  const event = message.event ? `event: ${message.event}\n` : ''
  const id = message.id ? `id: ${message.id}\n` : ''
  return `${event}${id}data: ${message.data}\n\n`
}
