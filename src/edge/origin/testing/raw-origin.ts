import { createServer, type Socket } from 'node:net'

/** What a script does with a connection, in turn: sends text, waits, ends it, resets it, or leaves it open. */
export type Step = string | number | 'end' | 'reset'

export type RawOrigin = {
  readonly url: string
  /** Everything received, one entry per connection. */
  readonly received: string[]
  close(): void
}

/** An origin that answers each request (by its number) with a script, byte for byte. */
export async function startRawOrigin(script: (request: number, text: string) => readonly Step[]): Promise<RawOrigin> {
  const received: string[] = []
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    const connection = received.push('') - 1
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => {
      received[connection] += data.toString('latin1')
      if (/\r\n\r\n/.test(data.toString('latin1'))) void play(socket, script(requests++, data.toString('latin1')))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function play(socket: Socket, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return
    if (step === 'end') socket.end()
    else if (step === 'reset') socket.resetAndDestroy()
    else if (typeof step === 'number') await new Promise((resolve) => setTimeout(resolve, step))
    else socket.write(step, 'latin1')
  }
}

/** A port nobody listens on. */
export async function deadUrl(): Promise<string> {
  const origin = await startRawOrigin(() => [])
  origin.close()
  return origin.url
}
