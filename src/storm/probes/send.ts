import { describeError, pause } from '../../kernel/index.ts'
import { addressUrl, type Target } from '../target.ts'
import type { Answer } from './answer.ts'

export type ProbeRequest = {
  readonly method: 'GET' | 'POST'
  /** Begins with a slash. */
  readonly path: string
  readonly token: string | null
  readonly body: unknown | null
  readonly timeoutMs: number
}
export type Send = (request: ProbeRequest) => Promise<Answer>

/**
 * Plain `fetch`: the probes share no connection with the crowd's own client, so neither hides a defect of the other. They ask at
 * the address that was checked and by the name that viewers use, so that a front which goes by names answers both alike.
 */
export function createSend(options: {
  target: Target
  answerBytesMax: number
  /** Waited for before each request. */
  turn: () => Promise<void>
  stopped: AbortSignal
  nowMs: () => number
}): Send {
  const { target, answerBytesMax, turn, stopped, nowMs } = options
  const url = addressUrl(target)
  const { host: serverName, certificateAuthority: ca } = target
  const tls = target.tls ? { tls: { serverName, ...(ca === null ? {} : { ca }) } } : {}
  return async ({ method, path, token, body, timeoutMs }) => {
    await turn()
    if (stopped.aborted) return { kind: 'stopped' }
    const late = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        signal: AbortSignal.any([stopped, late]),
        ...tls,
        headers: {
          host: target.hostHeader,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === null ? {} : { body: JSON.stringify(body) }),
      })
      const beganMs = nowMs()
      const bytes = await readBounded(response, answerBytesMax)
      return { kind: 'answered', status: response.status, bytes, beganMs }
    } catch (error) {
      if (stopped.aborted) return { kind: 'stopped' }
      return {
        kind: 'silent',
        why: late.aborted
          ? `no whole answer within ${timeoutMs} ms`
          : `the connection failed (${describeError(error)})`,
      }
    }
  }
}

/** Turns at even distances, in the order asked for. */
export function createPace(perSecond: number, stopped: AbortSignal): () => Promise<void> {
  const everyMs = 1_000 / perSecond
  let nextMs = 0
  return async () => {
    const nowMs = performance.now()
    const mineMs = Math.max(nowMs, nextMs)
    nextMs = mineMs + everyMs
    if (mineMs > nowMs) await pause(mineMs - nowMs, stopped)
  }
}

async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > bytesMax) throw new Error(`an answer of more than ${bytesMax} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
