import { type Clock, Fault, type Limits } from '../../kernel/index.ts'

export type PaceLimits = Pick<Limits, 'hubRequestIdleMs' | 'hubPayloadBytesPerSecondMin'>

/**
 * The same bytes from a source that must keep up: Fault `payload-interrupted` when it sends nothing for `hubRequestIdleMs`,
 * or is that much behind the least rate. Whoever sends holds room that others wait for. Only the time that the source
 * is waited for counts, not what the reader takes.
 */
export function keepPace(
  source: ReadableStream<Uint8Array>,
  { limits, clock }: { readonly limits: PaceLimits; readonly clock: Clock },
): ReadableStream<Uint8Array> {
  const { hubRequestIdleMs: idleMs, hubPayloadBytesPerSecondMin: rateMin } = limits
  const reader = source.getReader()
  let waitedMs = 0
  let bytes = 0
  const readNext = async (): Promise<Awaited<ReturnType<typeof reader.read>>> => {
    const waitMs = Math.min(idleMs, idleMs + (bytes * 1_000) / rateMin - waitedMs)
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(toSlow(bytes, limits)), Math.max(0, waitMs))
    const sinceMs = clock.elapsedMs()
    try {
      return await Promise.race([reader.read(), late.promise])
    } finally {
      clearTimeout(timer)
      waitedMs += clock.elapsedMs() - sinceMs
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await readNext().catch((error: unknown) => {
          // A source that fails while it is told to stop has nothing more to say.
          reader.cancel(error).catch(() => {})
          throw error
        })
        if (next.done) return controller.close()
        bytes += next.value.byteLength
        controller.enqueue(next.value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function toSlow(bytes: number, { hubRequestIdleMs, hubPayloadBytesPerSecondMin }: PaceLimits): Fault {
  return new Fault(
    'payload-interrupted',
    `the payload came too slowly: expected ${hubPayloadBytesPerSecondMin} bytes a second and no silence over ${hubRequestIdleMs} ms, got ${bytes} bytes so far; send it again`,
  )
}
