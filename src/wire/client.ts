import type { Socket } from 'bun'
import { Fault, type Limits } from '../kernel/index.ts'
import { createFrameReader, encodeFrame, FRAME_KIND } from './frame.ts'
import { createSocketOutbox, type SocketOutbox } from './outbox.ts'

const RECONNECT_MIN_MS = 10
const RECONNECT_MAX_MS = 500
const SWEEP_MS = 50

export type WireCallOptions = {
  /** From the call until its answer, waiting for a connection included; `Infinity` for streams. Fault `timeout`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Each item the server pushes, one at a time; the next comes when this resolves. A rejection cancels the call. */
  readonly onPush?: (payload: Uint8Array) => void | Promise<void>
}

/**
 * A multiplexed client of one Unix socket that reconnects by itself. A call made while disconnected waits for the
 * connection within its timeout. A call under way when the connection breaks rejects with `wire-lost`: it may or may
 * not have happened, and only the caller knows whether to repeat it.
 */
export type WireClient = {
  call(payload: Uint8Array, options?: WireCallOptions): Promise<Uint8Array>
  connected(): boolean
  close(): void
}

type Pending = {
  readonly payload: Uint8Array
  readonly deadlineMs: number
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: unknown) => void
  readonly onPush: WireCallOptions['onPush']
  pushes: Promise<void>
  sent: boolean
}

type Connection = { outbox: SocketOutbox; read: (data: Uint8Array) => boolean }

export function createWireClient(options: {
  path: string
  limits: Pick<Limits, 'frameBytesMax' | 'wireInFlightMax' | 'wireCallTimeoutMs'>
}): WireClient {
  const { path, limits } = options
  const pending = new Map<number, Pending>()
  let socket: Socket<Connection> | null = null
  let nextId = 1
  let closed = false
  let backoffMs = RECONNECT_MIN_MS

  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [id, call] of pending) {
      if (call.deadlineMs > now) continue
      cancel(
        id,
        new Fault('timeout', `no answer from ${path} in time; the process behind it is slow, restarting or gone`),
      )
    }
  }, SWEEP_MS)
  sweep.unref?.()

  const cancel = (id: number, error: unknown): void => {
    const call = pending.get(id)
    if (!call) return
    pending.delete(id)
    if (call.sent) socket?.data.outbox.send(encodeFrame(id, FRAME_KIND.cancel, new Uint8Array(0)))
    call.reject(error)
  }

  const onFrame = (id: number, kind: number, payload: Uint8Array): void => {
    const call = pending.get(id)
    if (!call) return
    if (kind === FRAME_KIND.push) {
      onPush(id, call, payload)
      return
    }
    pending.delete(id)
    if (kind === FRAME_KIND.answer) call.resolve(payload)
    else call.reject(toFault(payload))
  }

  const onPush = (id: number, call: Pending, payload: Uint8Array): void => {
    const from = socket
    call.pushes = call.pushes
      .then(() => call.onPush?.(payload))
      .then(
        () => {
          if (pending.has(id) && from === socket)
            socket?.data.outbox.send(encodeFrame(id, FRAME_KIND.pushDone, new Uint8Array(0)))
        },
        (error: unknown) => cancel(id, error),
      )
  }

  const send = (id: number, call: Pending, connection: Socket<Connection>): void => {
    call.sent = true
    connection.data.outbox.send(encodeFrame(id, FRAME_KIND.call, call.payload))
  }

  const connect = (): void => {
    if (closed) return
    Bun.connect<Connection>({
      unix: path,
      socket: {
        open(opened) {
          if (closed) {
            opened.end()
            return
          }
          opened.data = {
            outbox: createSocketOutbox(opened),
            read: createFrameReader({ frameBytesMax: limits.frameBytesMax, onFrame }),
          }
          socket = opened
          backoffMs = RECONNECT_MIN_MS
          for (const [id, call] of pending) send(id, call, opened)
        },
        data(opened, data) {
          if (!opened.data.read(data)) opened.end()
        },
        drain: (opened) => opened.data.outbox.drain(),
        close: (opened) => lost(opened),
        error: (opened) => lost(opened),
        connectError: () => retry(),
      },
    }).catch(() => {})
  }

  const lost = (gone: Socket<Connection>): void => {
    if (socket !== gone) return
    socket = null
    for (const [id, call] of [...pending]) {
      if (!call.sent) continue
      pending.delete(id)
      call.reject(
        new Fault('wire-lost', `the connection to ${path} broke before the answer came; it may have been done`),
      )
    }
    retry()
  }

  const retry = (): void => {
    if (closed) return
    setTimeout(connect, backoffMs)
    backoffMs = Math.min(backoffMs * 2, RECONNECT_MAX_MS)
  }

  connect()

  return {
    connected: () => socket !== null,
    call(payload, { timeoutMs = limits.wireCallTimeoutMs, signal, onPush: push } = {}) {
      if (closed) return Promise.reject(new Fault('closed', `the client of ${path} is closed`))
      if (signal?.aborted) return Promise.reject(new Fault('cancelled', 'the call was cancelled before it began'))
      if (payload.byteLength + 5 > limits.frameBytesMax) {
        return Promise.reject(
          new Fault(
            'frame-too-large',
            `a call of ${payload.byteLength} bytes exceeds frameBytesMax ${limits.frameBytesMax}; send less at once`,
          ),
        )
      }
      if (pending.size >= limits.wireInFlightMax) {
        return Promise.reject(
          new Fault(
            'overloaded',
            `${pending.size} calls to ${path} are unanswered, the limit is ${limits.wireInFlightMax}; retry later`,
          ),
        )
      }
      const id = nextId
      nextId = nextId >= 0xffff_fffe ? 1 : nextId + 1
      return new Promise<Uint8Array>((resolve, reject) => {
        const deadlineMs = performance.now() + timeoutMs
        const call: Pending = {
          payload,
          deadlineMs,
          resolve,
          reject,
          onPush: push,
          pushes: Promise.resolve(),
          sent: false,
        }
        pending.set(id, call)
        if (socket) send(id, call, socket)
        signal?.addEventListener('abort', () => cancel(id, new Fault('cancelled', 'the call was cancelled')), {
          once: true,
        })
      })
    },
    close() {
      closed = true
      clearInterval(sweep)
      for (const [id] of [...pending]) cancel(id, new Fault('closed', `the client of ${path} was closed`))
      const last = socket
      socket = null
      setImmediate(() => last?.end())
    },
  }
}

function toFault(payload: Uint8Array): Fault {
  const body = JSON.parse(Buffer.from(payload).toString()) as {
    code: string
    message: string
    detail: Record<string, unknown>
  }
  return new Fault(body.code, body.message, { detail: body.detail })
}
