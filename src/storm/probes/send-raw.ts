import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from '../target.ts'
import type { Answer } from './answer.ts'

/** Sends a path exactly as it is: `fetch` would resolve `..`, `%2e%2e` and the like before anyone sees them. */
export type SendRaw = (path: string) => Promise<Answer>

/** Enough for the head and for telling what the body is. */
const HEAD_END = '\r\n\r\n'

export function createSendRaw(options: {
  target: Target
  timeoutMs: number
  answerBytesMax: number
  turn: () => Promise<void>
  stopped: AbortSignal
  nowMs: () => number
}): SendRaw {
  const { target, timeoutMs, answerBytesMax, turn, stopped, nowMs } = options
  return async (path) => {
    await turn()
    if (stopped.aborted) return { kind: 'stopped' }
    const request = `GET ${path} HTTP/1.1\r\nHost: ${target.hostHeader}\r\nConnection: close\r\n\r\n`
    const ended = await exchange(connect(target), { request, timeoutMs, bytesMax: answerBytesMax, stopped })
    if (stopped.aborted) return { kind: 'stopped' }
    return parseAnswer(ended.bytes, nowMs()) ?? { kind: 'silent', why: ended.why }
  }
}

/** At the address that was checked. A name is told to the front, and the certificate is to be for it; an address is not told (RFC 6066). */
function connect({ address: host, port, tls, host: name, certificateAuthority: ca }: Target): Socket {
  if (!tls) return connectPlain({ host, port })
  return connectTls({
    host,
    port,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === null ? {} : { ca }),
  })
}

type Exchange = { request: string; timeoutMs: number; bytesMax: number; stopped: AbortSignal }

/** What was received until the other side closed, enough had come, or the time was over. */
function exchange(socket: Socket, options: Exchange): Promise<{ bytes: Uint8Array; why: string }> {
  const { request, timeoutMs, bytesMax, stopped } = options
  const parts: Buffer[] = []
  let length = 0
  return new Promise((resolve) => {
    const end = (why: string): void => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', onStop)
      socket.destroy()
      resolve({ bytes: Buffer.concat(parts), why })
    }
    const onStop = (): void => end('the storm ended')
    const timer = setTimeout(() => end(`no whole answer within ${timeoutMs} ms`), timeoutMs)
    stopped.addEventListener('abort', onStop)
    socket.on('error', (error) => end(`the connection failed (${error.message})`))
    socket.on('close', () => end('the connection was closed'))
    socket.on('data', (part) => {
      const bytes = Buffer.from(part)
      parts.push(bytes)
      length += bytes.length
      if (length >= bytesMax) end('enough')
    })
    socket.write(request)
  })
}

/** The status and whatever there is of the body; null when not even the head is whole. A chunked body keeps its chunk sizes. */
export function parseAnswer(bytes: Uint8Array, beganMs: number): Answer | null {
  const headEnd = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(HEAD_END)
  if (headEnd < 0) return null
  const head = Buffer.from(bytes.subarray(0, headEnd)).toString('latin1')
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]
  if (status === undefined) return null
  const body = bytes.subarray(headEnd + HEAD_END.length)
  return { kind: 'answered', status: Number(status), bytes: isChunked(head) ? withoutFirstSize(body) : body, beganMs }
}

const isChunked = (head: string): boolean => /^transfer-encoding:.*chunked/im.test(head)

/** What a body begins with is all that is looked at. */
function withoutFirstSize(body: Uint8Array): Uint8Array {
  const lineEnd = body.indexOf(0x0a)
  return lineEnd < 0 ? body : body.subarray(lineEnd + 1)
}
