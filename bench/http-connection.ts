import type { Socket } from 'bun'

export type HttpAnswer = { readonly status: number; readonly body: Buffer }

/** One keep-alive connection with at most one request under way, spoken raw: a client library would be what is measured. */
export type HttpConnection = {
  /** Only when the last one was answered. */
  send(request: string): void
  close(): void
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** `onAnswer` for each answer, `onLost` once when the connection ends by itself. Understands `content-length` only. */
export async function openHttpConnection(options: {
  port: number
  onAnswer: (answer: HttpAnswer) => void
  onLost: (why: string) => void
}): Promise<HttpConnection> {
  let held: Buffer | null = null
  let closed = false

  const lost = (why: string): void => {
    if (closed) return
    closed = true
    options.onLost(why)
  }
  const read = (socket: Socket, data: Buffer): void => {
    const bytes = held ? Buffer.concat([held, data]) : data
    const answer = parseAnswer(bytes)
    if (answer === 'more') held = Buffer.from(bytes)
    else if (answer === 'bad') {
      lost('an answer that could not be read')
      socket.end()
    } else {
      held = null
      options.onAnswer(answer)
    }
  }

  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: options.port,
    socket: {
      data: (opened, data) => read(opened, data),
      close: () => lost('closed'),
      error: (_, error) => lost(error.message),
    },
  })
  return {
    send(request) {
      // A request of ours is far smaller than a socket's buffer, and the last one was answered: it fits.
      if (socket.write(request) < request.length) lost('a request did not fit the socket')
    },
    close() {
      closed = true
      socket.end()
    },
  }
}

/** Exported for its test. The answer's body is a view. */
export function parseAnswer(bytes: Buffer): HttpAnswer | 'more' | 'bad' {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return bytes.byteLength > 65_536 ? 'bad' : 'more'
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (!head.startsWith('HTTP/1.1 ') || !(status >= 100) || length === undefined) return 'bad'
  const from = end + HEAD_END.byteLength
  const to = from + Number(length)
  if (bytes.byteLength < to) return 'more'
  return bytes.byteLength > to ? 'bad' : { status, body: bytes.subarray(from, to) }
}
