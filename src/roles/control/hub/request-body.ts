import { Fault, type Limits } from '../../../kernel/index.ts'

type BodyLimits = Pick<
  Limits,
  'hubRequestBytesMax' | 'hubRequestsBytesMax' | 'hubRequestIdleMs' | 'hubRequestMs' | 'hubBusyRetryMs'
>

/** Reads requests whole, so many bytes of all of them together at most. */
export type WholeBodies = {
  /** For `caller`, one of those who share the room. */
  read(request: Request, caller: string): Promise<{ readonly text: string; release(): void }>
}

/**
 * Room is taken before the first byte is read, by the declared length or else by the most there could be; beyond, Fault
 * `hub-busy`, and nothing is taken. One caller has half of the room at most, so that no slow or greedy one shuts out the others. Whoever reads gives the room back when the request is answered.
 */
export function createWholeBodies(limits: BodyLimits): WholeBodies {
  const takenBy = new Map<string, number>()
  let taken = 0
  const takenMaxOfOne = Math.max(limits.hubRequestBytesMax, limits.hubRequestsBytesMax / 2)
  const take = (caller: string, bytes: number): void => {
    taken += bytes
    const own = (takenBy.get(caller) ?? 0) + bytes
    if (own === 0) takenBy.delete(caller)
    else takenBy.set(caller, own)
  }
  return {
    async read(request, caller) {
      const declared = request.headers.get('content-length')
      const bytesMax = limits.hubRequestBytesMax
      const bytes = declared === null ? bytesMax : Number(declared)
      if (!(bytes <= bytesMax)) throw tooLarge(bytesMax)
      if (taken + bytes > limits.hubRequestsBytesMax) throw busy(limits)
      if ((takenBy.get(caller) ?? 0) + bytes > takenMaxOfOne) throw busy(limits)
      take(caller, bytes)
      let held = bytes
      const release = (): void => {
        take(caller, -held)
        held = 0
      }
      try {
        return {
          text: await readText(
            boundBody(request, { bytesMax, idleMs: limits.hubRequestIdleMs, wholeMs: limits.hubRequestMs }),
          ),
          release,
        }
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

/** A request's body that errors when it grows too large (Fault `payload-too-large`) or is silent or on its way for too long (`body-silent`). */
export function boundBody(
  request: Request,
  { bytesMax, idleMs, wholeMs = Number.POSITIVE_INFINITY }: { bytesMax: number; idleMs: number; wholeMs?: number },
): ReadableStream<Uint8Array> {
  const reader = request.body?.getReader()
  const declared = Number(request.headers.get('content-length') ?? 0)
  const begunAtMs = performance.now()
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (declared > bytesMax) {
          reader?.cancel().catch(() => {})
          throw tooLarge(bytesMax)
        }
        const chunk = reader
          ? await within(reader.read(), Math.min(idleMs, begunAtMs + wholeMs - performance.now()))
          : undefined
        if (!chunk || chunk.done) return controller.close()
        bytes += chunk.value.byteLength
        if (bytes > bytesMax) {
          reader?.cancel().catch(() => {})
          throw tooLarge(bytesMax)
        }
        controller.enqueue(chunk.value)
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new Fault('event-invalid', 'Expected JSON in UTF-8, got bytes that are none.', { cause })
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(
        new Fault(
          'body-silent',
          `Expected the body to go on within ${Math.max(0, Math.ceil(timeoutMs))} ms; send it again, faster.`,
        ),
      ),
    timeoutMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('body-cut', 'Expected the whole body, but the connection ended in the middle; send it again.', {
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}

function tooLarge(bytesMax: number): Fault {
  return new Fault(
    'payload-too-large',
    `Expected at most ${bytesMax} bytes; send less at once, or the data as a payload in binary mode.`,
  )
}

function busy({ hubBusyRetryMs }: BodyLimits): Fault {
  const detail = { retryAfterMs: hubBusyRetryMs }
  return new Fault(
    'hub-busy',
    'As much is being read as there is room for; nothing of this was taken, send it again later.',
    { detail },
  )
}
