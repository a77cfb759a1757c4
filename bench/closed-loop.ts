import type { RawAnswer } from './open-loop-answer.ts'
import { openRawConnection, type RawConnection, toGetBytes } from './open-loop-connection.ts'

/** Asks for each address once, in this order, one after another on each of `connections`. Throws unless all come as a 200. */
export async function askEach(options: {
  readonly port: number
  readonly addresses: readonly string[]
  readonly connections: number
  /** Called once a request is out on every connection. */
  readonly onAllAsking?: () => void
}): Promise<{ readonly bodyBytes: number }> {
  const { port, addresses } = options
  const done = Promise.withResolvers<void>()
  let asked = 0
  let answered = 0
  let bodyBytes = 0
  const ask = (connection: RawConnection): void => {
    const address = addresses[asked]
    if (address === undefined) return
    asked += 1
    connection.send(toGetBytes(port, address))
  }
  const events = {
    onAnswer(connection: RawConnection, answer: RawAnswer): void {
      if (answer.status !== 200) done.reject(new Error(`port ${port}: expected a 200 each time, got ${answer.status}`))
      answered += 1
      bodyBytes += answer.bodyBytes
      if (answered === addresses.length) done.resolve()
      else ask(connection)
    },
    onBreak: (_: RawConnection, why: string): void =>
      done.reject(new Error(`port ${port}: a connection broke after ${answered} answers of all: ${why}`)),
  }
  const count = Math.min(options.connections, addresses.length)
  const opened = await Promise.all(Array.from({ length: count }, () => openRawConnection({ port, events })))
  try {
    for (const connection of opened) ask(connection)
    options.onAllAsking?.()
    await done.promise
  } finally {
    for (const connection of opened) connection.close()
  }
  return { bodyBytes }
}
