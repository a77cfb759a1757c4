import type { Socket } from 'bun'
import { createAnswerReader, type RawAnswer } from './open-loop-answer.ts'

/** A connection for a generator: bytes out, one answer back at a time. */
export type RawConnection = {
  /** One request, when the one before has been answered. */
  send(request: Uint8Array): void
  close(): void
}

export type RawConnectionEvents = {
  onAnswer(connection: RawConnection, answer: RawAnswer): void
  /** It is of no use any more; what was asked on it stays unanswered. Not called after `close`. */
  onBreak(connection: RawConnection, why: string): void
}

export async function openRawConnection(options: {
  readonly port: number
  readonly events: RawConnectionEvents
}): Promise<RawConnection> {
  const { port, events } = options
  const reader = createAnswerReader()
  let ended = false
  const fail = (why: string): void => {
    if (ended) return
    ended = true
    events.onBreak(connection, why)
    socket.terminate()
  }
  const socket: Socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_, chunk) {
        const answer = reader.push(chunk)
        if (answer === 'unreadable') fail('unreadable')
        else if (answer !== null && !ended) events.onAnswer(connection, answer)
      },
      close: () => fail('closed'),
      error: (_, error) => fail(error.message),
    },
  })
  socket.setNoDelay(true)
  const connection: RawConnection = {
    send(request) {
      // A few hundred bytes on a connection at rest: a kernel that does not take them has a broken one.
      if (socket.write(request) !== request.byteLength) fail('unwritable')
    },
    close() {
      ended = true
      socket.end()
    },
  }
  return connection
}

/** The bytes of a plain GET. */
export function toGetBytes(port: number, address: string): Uint8Array {
  return Buffer.from(`GET ${address} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, 'latin1')
}
