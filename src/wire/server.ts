import { rmSync } from 'node:fs'
import type { Socket } from 'bun'
import { describeError, Fault, faultCode, type Limits, type Logger } from '../kernel/index.ts'
import { createFrameReader, encodeFrame, FRAME_KIND } from './frame.ts'
import { createSocketOutbox, type SocketOutbox } from './outbox.ts'

/** One call as its handler sees it. */
export type WireCall = {
  /** Aborted when the caller cancels, times out or goes away. */
  readonly signal: AbortSignal
  /** Sends one item to the caller; resolves when the caller is done with it, rejects (`wire-lost`) when the caller is gone. */
  push(payload: Uint8Array): Promise<void>
}

export type WireServer = {
  /** Calls being handled. */
  inFlight(): number
  /** Takes no new calls (`draining`), waits for those under way (streams are aborted), then closes. */
  close(options?: { timeoutMs?: number }): Promise<void>
}

export type WireHandler = (payload: Uint8Array, call: WireCall) => Uint8Array | Promise<Uint8Array>

type Connection = {
  outbox: SocketOutbox
  read: (data: Uint8Array) => boolean
  calls: Map<number, OpenCall>
}

type OpenCall = { abort(): void; pushes: { resolve: () => void; reject: (error: unknown) => void }[] }

/**
 * Serves framed calls on a Unix socket (mode 0600). A handler's `Fault` reaches the caller with code and message; anything else arrives
 * as `internal`. A socket file left by a dead process is replaced.
 */
export function createWireServer(options: {
  path: string
  limits: Pick<Limits, 'frameBytesMax' | 'wireInFlightMax'>
  logger: Logger
  onCall: WireHandler
}): WireServer {
  const { path, limits, logger } = options
  const connections = new Set<Socket<Connection>>()
  let inFlight = 0
  let draining = false
  rmSync(path, { force: true })

  const answer = (socket: Socket<Connection>, id: number, payload: Uint8Array): void => {
    if (payload.byteLength + 5 > limits.frameBytesMax) {
      fail(
        socket,
        id,
        new Fault(
          'frame-too-large',
          `an answer of ${payload.byteLength} bytes exceeds frameBytesMax ${limits.frameBytesMax}; ask for less at once`,
        ),
      )
      return
    }
    socket.data.outbox.send(encodeFrame(id, FRAME_KIND.answer, payload))
  }
  const fail = (socket: Socket<Connection>, id: number, error: unknown): void => {
    const code = faultCode(error)
    if (code === 'internal')
      logger.error('a call failed unexpectedly', {
        error: describeError(error),
        stack: error instanceof Error ? error.stack : undefined,
      })
    const detail = error instanceof Fault ? error.detail : {}
    const body = Buffer.from(JSON.stringify({ code, message: describeError(error), detail }))
    socket.data.outbox.send(encodeFrame(id, FRAME_KIND.fault, body))
  }
  const refuse = (): Fault | null => {
    if (draining) return new Fault('draining', 'this process is shutting down; retry elsewhere or shortly')
    if (inFlight < limits.wireInFlightMax) return null
    return new Fault(
      'overloaded',
      `${inFlight} calls are under way, the limit is ${limits.wireInFlightMax}; retry later`,
    )
  }
  const handle = (socket: Socket<Connection>, id: number, payload: Uint8Array): void => {
    const refusal = refuse()
    if (refusal) {
      fail(socket, id, refusal)
      return
    }
    const { call, open } = createCall(socket, id)
    socket.data.calls.set(id, open)
    inFlight += 1
    const finish = (): void => {
      inFlight -= 1
      socket.data.calls.delete(id)
    }
    try {
      const result = options.onCall(payload, call)
      if (result instanceof Uint8Array) {
        finish()
        answer(socket, id, result)
        return
      }
      result.then(
        (bytes) => {
          finish()
          answer(socket, id, bytes)
        },
        (error: unknown) => {
          finish()
          fail(socket, id, error)
        },
      )
    } catch (error) {
      finish()
      fail(socket, id, error)
    }
  }
  const drop = (socket: Socket<Connection>): void => {
    connections.delete(socket)
    for (const open of socket.data.calls.values()) open.abort()
  }

  const listener = Bun.listen<Connection>({
    unix: path,
    socket: {
      open(socket) {
        connections.add(socket)
        const read = createFrameReader({
          frameBytesMax: limits.frameBytesMax,
          onFrame(id, kind, payload) {
            if (kind === FRAME_KIND.call) handle(socket, id, payload)
            else if (kind === FRAME_KIND.cancel) socket.data.calls.get(id)?.abort()
            else if (kind === FRAME_KIND.pushDone) socket.data.calls.get(id)?.pushes.shift()?.resolve()
          },
        })
        socket.data = { outbox: createSocketOutbox(socket), read, calls: new Map() }
      },
      data(socket, data) {
        if (!socket.data.read(data)) socket.end()
      },
      drain: (socket) => socket.data.outbox.drain(),
      close: drop,
      error: drop,
    },
  })

  return {
    inFlight: () => inFlight,
    async close({ timeoutMs = 5_000 } = {}) {
      draining = true
      for (const socket of connections)
        for (const open of socket.data.calls.values()) if (open.pushes.length > 0) open.abort()
      const deadline = performance.now() + timeoutMs
      while (inFlight > 0 && performance.now() < deadline) await Bun.sleep(10)
      for (const socket of connections) for (const open of socket.data.calls.values()) open.abort()
      await Bun.sleep(0)
      listener.stop(true)
      rmSync(path, { force: true })
    },
  }
}

function createCall(socket: Socket<Connection>, id: number): { call: WireCall; open: OpenCall } {
  let controller: AbortController | null = null
  let aborted = false
  const open: OpenCall = {
    pushes: [],
    abort() {
      aborted = true
      controller?.abort(new Fault('cancelled', 'the caller cancelled or is gone'))
      for (const waiter of open.pushes.splice(0)) waiter.reject(new Fault('wire-lost', 'the caller is gone'))
    },
  }
  const call: WireCall = {
    get signal() {
      controller ??= new AbortController()
      if (aborted && !controller.signal.aborted)
        controller.abort(new Fault('cancelled', 'the caller cancelled or is gone'))
      return controller.signal
    },
    push(payload) {
      if (aborted) return Promise.reject(new Fault('wire-lost', 'the caller is gone'))
      return new Promise((resolve, reject) => {
        open.pushes.push({ resolve, reject })
        socket.data.outbox.send(encodeFrame(id, FRAME_KIND.push, payload))
      })
    },
  }
  return { call, open }
}
