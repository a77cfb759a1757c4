import { createHash } from 'node:crypto'
import { Fault } from '../../kernel/index.ts'

export type Measured = { readonly size: number; readonly digest: string }

export type MeasuredStream = {
  readonly stream: ReadableStream<Uint8Array>
  /** Of what has passed; whole once the stream was read to its end. */
  measured(): Measured
  /** Why the stream broke off, where it did: an engine may tell it as a failure of its own. */
  failure(): Fault | null
  /** Breaks it off, and tells the source that nobody reads on. */
  fail(fault: Fault): void
}

export function measureBytes(bytes: Uint8Array): Measured {
  return { size: bytes.byteLength, digest: `sha-256=${createHash('sha256').update(bytes).digest('hex')}` }
}

export function toTooLarge(bytesMax: number, got: string): Fault {
  return new Fault('payload-too-large', `expected a payload of at most ${bytesMax} bytes, got ${got}`, {
    detail: { bytesMax },
  })
}

/** A source that knows why it broke off has said it best. */
export function toInterrupted(cause: unknown, size: number): Fault {
  if (cause instanceof Fault) return cause
  return new Fault('payload-interrupted', `the payload broke off after ${size} bytes; send it again`, { cause })
}

/**
 * Counts and digests what passes, chunk by chunk as the reader asks for it, so that nothing gathers here. Breaks off with
 * `payload-too-large` above `bytesMax`, and when the source does: with its Fault, where it said one, else `payload-interrupted`.
 */
export function measureStream(source: ReadableStream<Uint8Array>, bytesMax: number): MeasuredStream {
  const reader = source.getReader()
  const hash = createHash('sha256')
  let size = 0
  let digest = ''
  let failure: Fault | null = null
  let controller: ReadableStreamDefaultController<Uint8Array>

  const fail = (fault: Fault): void => {
    if (failure || digest !== '') return
    failure = fault
    controller.error(fault)
    // A source that fails while it is told to stop has nothing more to say.
    reader.cancel(fault).catch(() => {})
  }
  const pull = async (): Promise<void> => {
    const next = await reader.read().catch((cause: unknown) => {
      fail(toInterrupted(cause, size))
      return null
    })
    if (!next || failure) return
    if (next.done) {
      digest = `sha-256=${hash.digest('hex')}`
      controller.close()
      return
    }
    size += next.value.byteLength
    if (size > bytesMax) return fail(toTooLarge(bytesMax, 'more'))
    hash.update(next.value)
    controller.enqueue(next.value)
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started
      },
      pull,
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return { stream, measured: () => ({ size, digest }), failure: () => failure, fail }
}
