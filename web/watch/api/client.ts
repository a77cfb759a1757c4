import { type Problem, type Result, readAnswer, unreachable } from '../../common/problem.ts'
import { countryOf } from './country.ts'
import type { Heartbeat, Home, Playback, Session, Signal, Title } from './types.ts'

const SESSION_KEY = 'tentpole.session'
const ANSWER_TIMEOUT_MS = 15_000
/** A session this close to its end is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000

export type ViewerApi = {
  home(): Promise<Result<Home>>
  title(id: string): Promise<Result<Title>>
  play(titleId: string): Promise<Result<Playback>>
  heartbeat(sessionId: string, token: string): Promise<Result<Heartbeat>>
  /** `leaving` lets the request outlive the page. */
  signals(batch: readonly Signal[], options: { leaving: boolean }): Promise<Result<unknown>>
}

export type ViewerApiOptions = {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly languages: readonly string[]
  readonly now: () => number
}

type Call = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly leaving?: boolean
}

/** The viewer API for an anonymous viewer: a session is made when one is needed and made anew once when it is refused. */
export function createViewerApi(options: ViewerApiOptions): ViewerApi {
  let session = readSession(options.storage)
  let opening: Promise<Result<Session>> | null = null

  async function openSession(): Promise<Result<Session>> {
    const body = { country: countryOf(options.languages), tier: 'standard', platform: 'web' }
    const opened = await send<Session>({ method: 'POST', path: '/v1/session', body }, null)
    if (opened.ok) {
      session = opened.value
      options.storage.setItem(SESSION_KEY, JSON.stringify(session))
    }
    return opened
  }

  /** One session for however many calls ask at once. */
  function ensureSession(): Promise<Result<Session>> {
    if (session !== null && session.expiresAtMs - RENEW_BEFORE_MS > options.now()) {
      return Promise.resolve({ ok: true, value: session })
    }
    opening ??= openSession().finally(() => {
      opening = null
    })
    return opening
  }

  async function send<T>(call: Call, token: string | null): Promise<Result<T>> {
    const headers: Record<string, string> = {}
    if (token !== null) headers['authorization'] = `Bearer ${token}`
    if (call.body !== undefined) headers['content-type'] = 'application/json'
    const init: RequestInit = { method: call.method, headers, keepalive: call.leaving === true, cache: 'no-store' }
    if (call.body !== undefined) init.body = JSON.stringify(call.body)
    if (call.leaving !== true) init.signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    try {
      return await readAnswer<T>(await options.fetch(call.path, init))
    } catch (error) {
      return { ok: false, problem: unreachable(error) }
    }
  }

  async function call<T>(request: Call): Promise<Result<T>> {
    const first = await ensureSession()
    if (!first.ok) return first
    const answer = await send<T>(request, first.value.token)
    if (answer.ok || answer.problem.status !== 401) return answer
    if (session?.token === first.value.token) session = null
    const second = await ensureSession()
    return second.ok ? send<T>(request, second.value.token) : second
  }

  const at = (path: string, ...ids: string[]): string => path + ids.map(encodeURIComponent).join('/')
  return {
    home: () => call({ method: 'GET', path: '/v1/home' }),
    title: (id) => call({ method: 'GET', path: at('/v1/titles/', id) }),
    play: (titleId) => call({ method: 'POST', path: '/v1/playback', body: { titleId } }),
    heartbeat: (sessionId, token) =>
      call({ method: 'POST', path: at('/v1/playback/', sessionId, 'heartbeat'), body: { token } }),
    signals(batch, { leaving }) {
      const request: Call = { method: 'POST', path: '/v1/signals', body: { signals: batch }, leaving }
      // A page that is leaving has no time to wait for anything: the request must go out in this very turn.
      return leaving && session !== null ? send(request, session.token) : call(request)
    },
  }
}

/** Whether asking again later can help. */
export function isPassing(problem: Problem): boolean {
  return problem.status === 0 || problem.status === 429 || problem.status >= 500
}

function readSession(storage: ViewerApiOptions['storage']): Session | null {
  try {
    const kept: unknown = JSON.parse(storage.getItem(SESSION_KEY) ?? 'null')
    return isSession(kept) ? kept : null
  } catch {
    return null
  }
}

function isSession(value: unknown): value is Session {
  const fields = value as Partial<Session> | null
  return typeof fields?.token === 'string' && typeof fields.expiresAtMs === 'number'
}
