import { HubError } from './types.ts'

export type HubFetch = (input: string, init?: RequestInit) => Promise<Response>

export type HubHttp = {
  /** One request; a HubError for every answer that is not 2xx, `unreachable` when there is none. */
  send(path: string, init?: RequestInit): Promise<Response>
  /** The same, again and again while it may help: the request must be one that can be repeated. */
  sendWithRetries(path: string, init: RequestInit, options?: { signal?: AbortSignal | undefined }): Promise<Response>
}

const TRIES_MAX = 8
const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 10_000
/** A server that names a longer time is asked again after this. */
const RETRY_AFTER_MAX_MS = 60_000
const TIMEOUT_MS = 30_000

/** These pass by themselves: too much at once, restarts, full disks, somebody between who timed out. */
const PASSING: ReadonlySet<number> = new Set([0, 408, 429, 500, 502, 503, 504, 507])

export function createHubHttp(options: { url: string; token: string; fetch: HubFetch }): HubHttp {
  const base = options.url.replace(/\/+$/, '')
  const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${options.token}`)
    let response: Response
    try {
      response = await options.fetch(`${base}/hub/v1${path}`, { ...init, headers, redirect: 'error' })
    } catch (cause) {
      throw new HubError({
        code: 'unreachable',
        status: 0,
        detail: `the hub at ${base} could not be reached: ${cause}`,
        cause,
      })
    }
    if (response.ok) return response
    throw await toError(response)
  }
  return {
    send,
    async sendWithRetries(path, init, { signal } = {}) {
      for (let tries = 1; ; tries += 1) {
        try {
          const timeout = AbortSignal.timeout(TIMEOUT_MS)
          return await send(path, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
        } catch (error) {
          if (tries >= TRIES_MAX || signal?.aborted || !isPassing(error)) throw error
          await pause(backoffMs(tries, error), signal)
        }
      }
    },
  }
}

/** Whether the same request may be answered otherwise later. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof HubError) || PASSING.has(error.status)
}

const retryAfters = new WeakMap<HubError, number>()

/** Full jitter below a bound that doubles; not before the hub said. */
export function backoffMs(tries: number, error?: unknown): number {
  const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(tries, 20))
  const saidMs = error instanceof HubError ? (retryAfters.get(error) ?? 0) : 0
  return Math.min(saidMs, RETRY_AFTER_MAX_MS) + Math.random() * bound
}

/** Resolves early when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}

async function toError(response: Response): Promise<HubError> {
  const { status } = response
  const text = await response.text().catch(() => '')
  const problem = parseProblem(text)
  const error = new HubError({
    status,
    code: problem.code ?? 'unexpected-answer',
    detail: problem.detail ?? `the hub answered ${status}: ${text.slice(0, 200)}`,
    ...(problem.errors ? { errors: problem.errors } : {}),
  })
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  if (seconds > 0) retryAfters.set(error, seconds * 1_000)
  return error
}

type Problem = {
  code?: string
  detail?: string
  errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

function parseProblem(text: string): Problem {
  try {
    const { code, detail, errors } = JSON.parse(text) as Record<string, unknown> // each field is looked at below
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof detail === 'string' ? { detail } : {}),
      ...(Array.isArray(errors) ? { errors } : {}),
    }
  } catch {
    return {}
  }
}
