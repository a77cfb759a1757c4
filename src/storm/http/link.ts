import type { Socket, SocketHandler } from 'bun'
import type { Target } from '../target.ts'

/** One TCP connection, or TLS on top of one, from the attempt to make it to its end. */
export type Link = {
  /** Null once nobody wants to hear of it any more. */
  owner: LinkOwner | null
  socket: Socket<Link> | null
  /** What did not fit the socket; goes on when it drains. */
  unsent: Buffer | null
  /** The server ended it properly: whatever it meant to say was received. */
  ended: boolean
  /** What went wrong, as far as the system said. */
  why: string | null
}

export type LinkOwner = {
  onOpen(link: Link): void
  onData(link: Link, bytes: Buffer): void
  /** It could not be made, or has ended; at most once, and never after `endLink` or `abortLink`. */
  onLost(link: Link): void
}

/** Never calls its owner before it has returned. */
export function openLink(target: Target, owner: LinkOwner): Link {
  const link: Link = { owner, socket: null, unsent: null, ended: false, why: null }
  const { certificateAuthority: ca } = target
  // A failure comes through `connectError`; the promise says the same once more.
  Bun.connect<Link>({
    hostname: target.address,
    port: target.port,
    data: link,
    socket: HANDLERS,
    ...(target.tls
      ? { tls: { serverName: target.host, rejectUnauthorized: true, ...(ca === null ? {} : { ca }) } }
      : {}),
  }).catch((error: unknown) => lose(link, error instanceof Error ? error.message : String(error)))
  return link
}

/** False when the link has ended already: then nothing was sent. */
export function sendOnLink(link: Link, text: string): boolean {
  const written = link.socket?.write(text) ?? -1
  if (written < 0) return false
  if (written < Buffer.byteLength(text)) link.unsent = Buffer.from(text).subarray(written)
  return true
}

/** Ends it without a word to its owner, as a client does that has what it wanted. */
export function endLink(link: Link): void {
  const { socket } = link
  forget(link)
  socket?.end()
}

/** The same in the middle of something: the server is told by a reset, and its bytes that are still under way are not read. */
export function abortLink(link: Link): void {
  const { socket } = link
  forget(link)
  socket?.terminate()
}

/** The same for all links: only `data` differs, and thousands of closures would be thousands of times their size. */
const HANDLERS: SocketHandler<Link> = {
  open(socket) {
    const link = socket.data
    if (!link.owner) {
      socket.terminate()
      return
    }
    link.socket = socket
    // A refused certificate is told here, and the socket closes right after.
    const refusal = socket.getAuthorizationError()
    if (refusal) {
      link.why = `the certificate was refused: ${refusal.message}`
      return
    }
    socket.setNoDelay(true)
    try {
      link.owner.onOpen(link)
    } catch (error) {
      throwOutside(error)
    }
  },
  data(socket, bytes) {
    const link = socket.data
    try {
      link.owner?.onData(link, bytes)
    } catch (error) {
      throwOutside(error)
    }
  },
  drain(socket) {
    const link = socket.data
    if (!link.unsent) return
    const written = socket.write(link.unsent)
    if (written >= link.unsent.byteLength) link.unsent = null
    else if (written > 0) link.unsent = link.unsent.subarray(written)
  },
  end(socket) {
    socket.data.ended = true
  },
  error(socket, error) {
    socket.data.why ??= error.message
  },
  close(socket, error) {
    lose(socket.data, error?.message ?? 'the connection was closed')
  },
  connectError(socket, error) {
    const link = socket.data
    lose(link, `${error.message}${'code' in error ? ` (${String(error.code)})` : ''}`)
  },
}

function lose(link: Link, why: string): void {
  const { owner } = link
  link.why ??= why
  forget(link)
  try {
    owner?.onLost(link)
  } catch (error) {
    throwOutside(error)
  }
}

/** A bug of the owner's. The socket would take it for its own error, and nobody would ever hear of it. */
function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

function forget(link: Link): void {
  link.owner = null
  link.socket = null
  link.unsent = null
}
