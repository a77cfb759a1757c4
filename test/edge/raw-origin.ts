import { createServer, type Socket } from 'node:net'
import { takeMessage } from './raw-message.ts'

export type Seen = {
  /** `GET /path HTTP/1.1` */
  readonly line: string
  readonly head: string
  readonly body: string
}

/** What is written for one request; `end` closes the connection, `forever` goes on until the other side leaves, `after` holds back. */
export type Step =
  | string
  | 'end'
  | { readonly forever: string }
  | { readonly after: Promise<unknown>; readonly steps: readonly Step[] }

export type RawOrigin = {
  readonly url: string
  /** Whole requests, in their order. */
  readonly seen: Seen[]
  /** Everything that came, requests or not. */
  received(): string
  /** Connections that are still written to without end. */
  writingForever(): number
  close(): void
}

/**
 * An origin that answers byte for byte as a script says. `ignoresContent` is the victim of CL.0: it takes what follows a
 * head for the next request, whatever its length says.
 */
export async function startRawOrigin(
  script: (seen: Seen) => readonly Step[],
  { ignoresContent = false }: { readonly ignoresContent?: boolean } = {},
): Promise<RawOrigin> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const forever = new Set<Socket>()
  let received = ''
  const server = createServer((socket) => {
    sockets.add(socket)
    let pending = ''
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      forever.delete(socket)
    })
    socket.on('data', (data) => {
      pending += data.toString('latin1')
      received += data.toString('latin1')
      for (;;) {
        const message = takeMessage(pending, { hasContent: !ignoresContent, untilClose: false })
        if (!message) return
        pending = pending.slice(message.bytes)
        const request = { line: message.line, head: message.head, body: message.body }
        seen.push(request)
        for (const step of script(request)) {
          if (typeof step === 'object' && 'forever' in step) forever.add(socket)
          perform(socket, step)
        }
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    received: () => received,
    writingForever: () => forever.size,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function perform(socket: Socket, step: Step): void {
  if (step === 'end') socket.end()
  else if (typeof step === 'string') socket.write(step, 'latin1')
  else if ('forever' in step) writeForever(socket, step.forever)
  else
    void step.after.then(() => {
      for (const one of step.steps) perform(socket, one)
    })
}

/** At the pace at which it is taken, so that nothing piles up here. */
function writeForever(socket: Socket, text: string): void {
  if (socket.destroyed) return
  if (socket.write(text, 'latin1')) setImmediate(() => writeForever(socket, text))
  else socket.once('drain', () => writeForever(socket, text))
}
