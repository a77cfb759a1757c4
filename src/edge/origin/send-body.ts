import type { ClientRequest } from 'node:http'
import type { RequestBody } from './framing.ts'
import type { Phases } from './phases.ts'

/**
 * Sends the content of a request once the connection stands: until then not a byte is taken from the client, so a
 * request that found no connection can still go elsewhere. A body that is not as long as was announced ends the
 * exchange, as the rest could be read as another request (RFC 9112, 6.3).
 */
export function sendBody(options: {
  readonly outgoing: ClientRequest
  readonly body: RequestBody
  readonly lengthBytes: number | null
  readonly phases: Phases
  readonly idleMs: number
}): void {
  const { outgoing, body, phases } = options
  const finish = (): void => {
    outgoing.end()
    phases.requestSent()
  }
  if (body === null || body instanceof Uint8Array) {
    if (body !== null) outgoing.write(body)
    outgoing.end()
    phases.whenConnected(phases.requestSent)
    return
  }
  // Opens the connection; the head goes out with it.
  outgoing.flushHeaders()
  phases.whenConnected(() => {
    pump({ ...options, body }).then(finish, (error: unknown) =>
      phases.cut({
        code: 'cancelled',
        why: `the request's content broke off: ${error instanceof Error ? error.message : error}`,
      }),
    )
  })
}

async function pump(options: {
  readonly outgoing: ClientRequest
  readonly body: ReadableStream<Uint8Array>
  readonly lengthBytes: number | null
  readonly phases: Phases
  readonly idleMs: number
}): Promise<void> {
  const { outgoing, body, lengthBytes, phases, idleMs } = options
  const reader = body.getReader()
  const gone = new Promise<null>((resolve) => outgoing.once('close', () => resolve(null)))
  let sentBytes = 0
  try {
    while (!outgoing.destroyed) {
      const part = await Promise.race([reader.read(), gone])
      if (part === null || part.done) break
      sentBytes += part.value.byteLength
      if (lengthBytes !== null && sentBytes > lengthBytes) break
      if (outgoing.write(part.value)) continue
      phases.waitForBytes('sending the request', idleMs)
      await Promise.race([new Promise<void>((resolve) => outgoing.once('drain', resolve)), gone])
      phases.stop()
    }
    if (!outgoing.destroyed && lengthBytes !== null && sentBytes !== lengthBytes)
      throw new Error(
        `expected ${lengthBytes} bytes as announced, got ${sentBytes}${sentBytes > lengthBytes ? ' or more' : ''}`,
      )
  } finally {
    // The rest of what a client sends is of no use once the exchange is over.
    reader.cancel().catch(() => {})
  }
}
