import { type Connection, destroy } from './connection.ts'

/**
 * Gives the kernel `bytes[start, end)`; what it does not take waits for `drain`. `shared` bytes are written over by the
 * next answer, so what waits of them is copied; all others stay untouched until they are sent.
 *
 * Measured: `write` returns how many bytes the kernel took, 0 when it takes none, -1 on a socket that was reset or ended;
 * nothing is buffered by Bun. After a -1 `close` is told later, or never when the client only sent a FIN.
 */
export function send(connection: Connection, bytes: Uint8Array, start: number, end: number, shared: boolean): void {
  if (connection.phase === 'closed') return
  if (connection.waiting.length > 0) {
    connection.waiting.push(shared ? bytes.slice(start, end) : bytes.subarray(start, end))
    return
  }
  const taken = connection.socket.write(bytes, start, end - start)
  if (taken < 0) {
    destroy(connection)
    return
  }
  connection.takenBytes += taken
  if (taken === end - start) return
  connection.waiting.push(shared ? bytes.slice(start + taken, end) : bytes.subarray(start + taken, end))
}

export function sendText(connection: Connection, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  send(connection, bytes, 0, bytes.length, false)
}

/** For the socket's `drain`, which Bun also tells when nothing waits. */
export function flush(connection: Connection): void {
  const { waiting } = connection
  if (waiting.length === 0) return
  let index = 0
  for (; index < waiting.length; index += 1) {
    const piece = waiting[index] as Uint8Array
    const left = piece.byteLength - connection.waitingStart
    const taken = connection.socket.write(piece, connection.waitingStart, left)
    if (taken < 0) {
      destroy(connection)
      return
    }
    connection.takenBytes += taken
    connection.going.bytes += taken
    if (taken < left) {
      connection.waitingStart += taken
      break
    }
    connection.waitingStart = 0
  }
  if (index > 0) connection.waiting = waiting.slice(index)
  if (connection.waiting.length === 0) wake(connection)
}

export function wake(connection: Connection): void {
  const { drained } = connection
  connection.drained = null
  drained?.()
}
