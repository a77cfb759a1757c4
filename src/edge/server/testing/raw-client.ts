import { connect, type Socket } from 'node:net'

/** A client that sends exactly what it is told and remembers all it gets. */
export type RawClient = {
  readonly socket: Socket
  write(bytes: string | Uint8Array): void
  /** What came so far, one character a byte. */
  text(): string
  bytes(): number
  /** Waits until what came satisfies `holds`. */
  until(holds: (text: string) => boolean): Promise<string>
  /** Waits for the server's FIN or a reset, and gives all that came. */
  ended(): Promise<string>
  /** How the connection ended, null while it has not. */
  fate(): 'ended' | 'reset' | null
  /** Sends a FIN. */
  finish(): void
  reset(): void
}

const WAIT_MS = 4_000

export async function openRawClient(
  port: number,
  { reads = true, keeps = true }: { readonly reads?: boolean; readonly keeps?: boolean } = {},
): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  let pieces: string[] = []
  let bytes = 0
  let fate: 'ended' | 'reset' | null = null
  const watchers = new Set<() => void>()
  const tell = (): void => {
    for (const watcher of watchers) watcher()
  }
  if (reads)
    socket.on('data', (chunk) => {
      bytes += chunk.length
      if (keeps) pieces.push(chunk.toString('latin1'))
      tell()
    })
  socket.on('end', () => {
    fate ??= 'ended'
    tell()
  })
  socket.on('error', () => {
    fate = 'reset'
    tell()
  })
  socket.on('close', () => {
    fate ??= 'ended'
    tell()
  })
  const text = (): string => {
    if (pieces.length > 1) pieces = [pieces.join('')]
    return pieces[0] ?? ''
  }
  const wait = (holds: () => boolean, what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watchers.delete(check)
        reject(
          new Error(`${what}: not within ${WAIT_MS} ms; fate ${fate}, got ${JSON.stringify(text().slice(0, 600))}`),
        )
      }, WAIT_MS)
      const check = (): void => {
        if (!holds()) return
        clearTimeout(timer)
        watchers.delete(check)
        resolve(text())
      }
      watchers.add(check)
      check()
    })
  return {
    socket,
    write: (given) => void socket.write(given),
    text,
    bytes: () => bytes,
    until: (holds) => wait(() => holds(text()), 'what was waited for'),
    ended: () => wait(() => fate !== null, 'the end of the connection'),
    fate: () => fate,
    finish: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  }
}

/** Waits for a condition that no event tells. */
export async function until(holds: () => boolean, what: string, withinMs: number = WAIT_MS): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
