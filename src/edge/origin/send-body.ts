import { type Connection, writeTo } from './connection.ts'
import type { Phases } from './phases.ts'

/** The content of one request, from a client's stream to the origin. */
export type Upload = {
  /** The kernel has taken what was written. */
  drained(): void
  /** The exchange is over: the rest of what a client sends is of no use. */
  stop(): void
}

/**
 * Sends a body piece by piece, the next once the kernel has taken the last. One that is not as long as was announced ends
 * the exchange, as the rest could be read as another request (RFC 9112, 6.3).
 */
export function startUpload(options: {
  readonly connection: Connection
  /** Goes first. */
  readonly head: Uint8Array
  readonly body: ReadableStream<Uint8Array>
  /** Null when it is chunked. */
  readonly lengthBytes: number | null
  readonly phases: Phases
  /** All of it was taken. */
  readonly onSent: () => void
  readonly onBroken: (why: string) => void
}): Upload {
  const { connection, head, body, lengthBytes, phases } = options
  const reader = body.getReader()
  let isOver = false
  let wake = (): void => {}

  const writeAll = async (bytes: Uint8Array): Promise<void> => {
    if (writeTo(connection, bytes)) return
    phases.awaitingBytes('sending the request')
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    if (!isOver) phases.waitingForUs()
  }
  const pump = async (): Promise<void> => {
    let sentBytes = 0
    await writeAll(head)
    while (!isOver) {
      const part = await reader.read()
      if (isOver) return
      if (part.done) break
      sentBytes += part.value.byteLength
      if (lengthBytes !== null && sentBytes > lengthBytes) break
      if (part.value.byteLength > 0) await writeAll(lengthBytes === null ? toChunk(part.value) : part.value)
    }
    if (isOver) return
    if (lengthBytes !== null && sentBytes !== lengthBytes)
      throw new Error(
        `expected ${lengthBytes} bytes as announced, got ${sentBytes}${sentBytes > lengthBytes ? ' or more' : ''}`,
      )
    if (lengthBytes === null) await writeAll(LAST_CHUNK)
  }
  const stop = (): void => {
    if (isOver) return
    isOver = true
    wake()
    reader.cancel().catch(() => {})
  }

  pump().then(
    () => {
      if (isOver) return
      isOver = true
      options.onSent()
    },
    (error: unknown) => {
      if (isOver) return
      stop()
      options.onBroken(`the request's content broke off: ${error instanceof Error ? error.message : error}`)
    },
  )
  return { drained: () => wake(), stop }
}

const CRLF = Buffer.from('\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

function toChunk(piece: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${piece.byteLength.toString(16)}\r\n`), piece, CRLF])
}
