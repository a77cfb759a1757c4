/** Content of an answer that goes on after what came with its head. */
export type ResponseBody = {
  readonly stream: ReadableStream<Uint8Array>
  take(pieces: readonly Uint8Array[]): void
  /** All of it has come, by its framing (RFC 9112, 8): only then does the stream end. */
  complete(): void
  fail(error: Error): void
  queuedBytes(): number
  /** The reader waits for bytes that have not come. */
  isHungry(): boolean
}

/** What waits here for a slow reader before the origin is held back. */
export const QUEUED_BYTES_MAX: number = 64 * 1024

/** Read only as it is asked for, so that a slow reader holds the origin back instead of filling memory. */
export function createResponseBody(options: {
  /** The reader wants more: what it wanted is given, or has yet to come. */
  readonly onRead: () => void
  readonly onCancel: () => void
}): ResponseBody {
  const queue: Uint8Array[] = []
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let queued = 0
  let isComplete = false
  /** A read waits for what comes next. */
  let isAsked = false

  const deliver = (): void => {
    const next = isAsked ? queue.shift() : undefined
    if (next) {
      isAsked = false
      queued -= next.byteLength
      controller?.enqueue(next)
    }
    if (isComplete && queue.length === 0) {
      controller?.close()
      controller = null
    }
  }
  const drop = (): void => {
    controller = null
    queue.length = 0
    queued = 0
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(made) {
        controller = made
      },
      pull() {
        isAsked = true
        deliver()
        if (!isComplete) options.onRead()
      },
      cancel() {
        drop()
        if (!isComplete) options.onCancel()
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    take(pieces) {
      for (const piece of pieces) {
        queue.push(piece)
        queued += piece.byteLength
      }
      deliver()
    },
    complete() {
      isComplete = true
      deliver()
    },
    fail(error) {
      controller?.error(error)
      drop()
    },
    queuedBytes: () => queued,
    isHungry: () => isAsked,
  }
}
