import type { EdgeProblem } from '../problem.ts'
import { createChunkedDecoder } from './chunked.ts'
import type { Framing } from './head.ts'
import type { ServerLimits } from './options.ts'
import { createPieceQueue } from './piece-queue.ts'

export type BodyFed =
  /** What follows `consumed` belongs to the next request. */
  | { readonly ok: true; readonly consumed: number; readonly done: boolean }
  | { readonly ok: false; readonly problem: EdgeProblem }

/** The content of one request, from the socket to whoever reads its stream. */
export type BodyReader = {
  feed(bytes: Uint8Array): BodyFed
  /** Made when first asked for. A read asks for more by `onRead`. */
  stream(): ReadableStream<Uint8Array>
  /** What has come and was not read; 0 once nobody reads. */
  queuedBytes(): number
  /** How much came after nobody read any more. */
  discardedBytes(): number
  receivedBytes(): number
  /** Null when it comes in chunks. */
  leftBytes(): number | null
  /** Somebody took the stream and has not cancelled it. */
  isWanted(): boolean
  /** Nobody reads it any more. */
  discard(): void
  /** It will not come to its end. */
  fail(error: Error): void
}

export function createBodyReader(options: {
  readonly framing: Exclude<Framing, null>
  readonly limits: ServerLimits
  readonly onRead: () => void
  readonly onCancel: () => void
}): BodyReader {
  const source = createSource(options.framing, options.limits)
  const queue = createPieceQueue()
  let stream: ReadableStream<Uint8Array> | null = null
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let discarded = 0
  let received = 0
  let state: 'coming' | 'complete' | 'discarding' | 'failed' = 'coming'
  let failure: Error | null = null
  /** A read waits for what comes next. */
  let asked = false

  const deliver = (): void => {
    if (!controller) return
    if (state === 'failed') {
      controller.error(failure)
      controller = null
      return
    }
    const next = asked ? queue.shift() : null
    if (next) {
      asked = false
      controller.enqueue(next)
    }
    if (state === 'complete' && queue.bytes() === 0) {
      controller?.close()
      controller = null
    }
  }
  const drop = (): void => {
    queue.clear()
    if (state === 'coming') state = 'discarding'
  }
  const take = (bytes: Uint8Array): void => {
    if (state !== 'coming') {
      discarded += bytes.byteLength
      return
    }
    queue.push(bytes)
  }

  return {
    feed(bytes) {
      const read = source.push(bytes)
      if (!read.ok) return read
      received += read.consumed
      for (const piece of read.data) take(piece)
      if (read.done && state === 'coming') state = 'complete'
      deliver()
      return { ok: true, consumed: read.consumed, done: read.done }
    },
    stream() {
      stream ??= new ReadableStream<Uint8Array>(
        {
          start(made) {
            controller = made
            deliver()
          },
          pull() {
            asked = true
            deliver()
            options.onRead()
          },
          cancel() {
            controller = null
            drop()
            options.onCancel()
          },
        },
        // Nothing is pulled ahead: the first pull is the first read, to which a 100 is the answer.
        { highWaterMark: 0 },
      )
      return stream
    },
    queuedBytes: queue.bytes,
    discardedBytes: () => discarded,
    receivedBytes: () => received,
    leftBytes: source.leftBytes,
    isWanted: () => stream !== null && state !== 'discarding' && state !== 'failed',
    discard() {
      drop()
      failure = new Error('content of a request: expected to be read before its answer ended; read it first')
      if (controller) controller.error(failure)
      controller = null
    },
    fail(error) {
      if (state !== 'coming') return
      state = 'failed'
      failure = error
      queue.clear()
      deliver()
    },
  }
}

type Source = {
  push(
    bytes: Uint8Array,
  ):
    | { readonly ok: true; readonly data: readonly Uint8Array[]; readonly done: boolean; readonly consumed: number }
    | { readonly ok: false; readonly problem: EdgeProblem }
  leftBytes(): number | null
}

function createSource(framing: Exclude<Framing, null>, limits: ServerLimits): Source {
  if (framing.kind === 'chunked') return { ...createChunkedDecoder(limits), leftBytes: () => null }
  let left = framing.bytes
  return {
    push(bytes) {
      const consumed = Math.min(left, bytes.byteLength)
      left -= consumed
      return { ok: true, data: [bytes.subarray(0, consumed)], done: left === 0, consumed }
    },
    leftBytes: () => left,
  }
}
