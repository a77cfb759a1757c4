import { readFile } from 'node:fs/promises'
import type { StaffTitle } from '../contracts/index.ts'
import { describeError, Fault } from '../kernel/index.ts'
import { layoutOf, readRuntime } from '../roles/index.ts'
import { loadConfig } from './configuration.ts'

/** How long a control process that is just being restarted is waited for. */
const REFUSED_WAIT_MS = 15_000
const REFUSED_RETRY_MS = 100
const ANSWER_WAIT_MS = 30_000

/** Which field of what was sent, as a JSON Pointer. */
export type FieldError = { readonly pointer: string; readonly detail: string }

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
export type StaffRequest = {
  readonly method: Method
  readonly path: string
  readonly contentType?: string
  readonly body?: string
}

/** The running platform, as staff see it. */
export type Staff = {
  readonly home: string
  readonly consoleUrl: string
  readonly headers: Readonly<Record<string, string>>
  /** Waits for control to come back when nothing answers. Faults: `unreachable`, or the code of the problem it answered with. */
  call<T>(method: Method, path: string, body?: unknown): Promise<T>
  /** The same, the body as it is: of a media type of its own. */
  send<T>(request: StaffRequest): Promise<T>
  /** An answer that is read while it comes, for as long as it comes. */
  open(path: string, signal: AbortSignal): Promise<Response>
  title(id: string): Promise<StaffTitle>
}

/** Finds the platform by its home. Fault `not-running`. */
export async function findPlatform(environment: Readonly<Record<string, string | undefined>>): Promise<Staff> {
  const home = environment['TENTPOLE_HOME'] || (await loadConfig(undefined, environment)).home
  const layout = layoutOf(home)
  const runtime = await readRuntime(layout.runtimeFile)
  const token = await readFile(layout.operatorTokenFile, 'utf8').catch(() => null)
  if (runtime === null || token === null || !isAlive(runtime.pid))
    throw new Fault(
      'not-running',
      `no platform is running on ${layout.home}; start one with "npm start", or set TENTPOLE_HOME to the home of one that is`,
    )
  return createStaff({ home: layout.home, consoleUrl: runtime.urls.console, token: token.trim() })
}

export function createStaff(options: { home: string; consoleUrl: string; token: string }): Staff {
  const { home, consoleUrl, token } = options
  const headers = { authorization: `Bearer ${token}` }

  const send = async <T>({ method, path, contentType, body }: StaffRequest): Promise<T> => {
    const response = await fetchWhenBack(new URL(path, consoleUrl), {
      method,
      headers: contentType === undefined ? headers : { ...headers, 'content-type': contentType },
      signal: AbortSignal.timeout(ANSWER_WAIT_MS),
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    if (!response.ok) throw toFault(response.status, text, response.headers)
    // Our own control, of the version that is running; 204 says nothing.
    return (text === '' ? null : JSON.parse(text)) as T
  }
  const open: Staff['open'] = async (path, signal) => {
    const response = await fetchWhenBack(new URL(path, consoleUrl), { headers, signal })
    if (!response.ok) throw toFault(response.status, await response.text(), response.headers)
    return response
  }
  const call: Staff['call'] = (method, path, body) =>
    send({
      method,
      path,
      ...(body === undefined ? {} : { contentType: 'application/json', body: JSON.stringify(body) }),
    })
  const title: Staff['title'] = (id) => call('GET', `/api/titles/${encodeURIComponent(id)}`)
  return { home, consoleUrl, headers, call, send, open, title }
}

/** A refused connection carried nothing, so trying again repeats nothing. */
async function fetchWhenBack(url: URL, init: RequestInit): Promise<Response> {
  const deadline = performance.now() + REFUSED_WAIT_MS
  for (;;) {
    try {
      return await fetch(url, init)
    } catch (error) {
      const isRefused = (error as { code?: string }).code === 'ConnectionRefused'
      if (isRefused && performance.now() < deadline) {
        await Bun.sleep(REFUSED_RETRY_MS)
        continue
      }
      throw new Fault('unreachable', `${url.origin} does not answer: ${describeError(error)}; see "tentpole status"`, {
        cause: error,
      })
    }
  }
}

/** RFC 9457 problem details, or whatever else came. Its detail: `errors` by field, and after how long another try makes sense. */
export function toFault(status: number, text: string, headers?: Headers): Fault {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN)
  const retry = seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}
  try {
    const { code, detail, errors } = JSON.parse(text) as { code?: string; detail?: string; errors?: FieldError[] }
    const unsaid = (errors ?? []).filter((error) => !says(detail ?? '', error))
    const fields = unsaid.map((error) => `${error.pointer}: ${error.detail}`).join('; ')
    const message = [detail, fields].filter((part) => part).join(' ')
    if (code !== undefined && message !== '')
      return new Fault(code, message, { detail: { ...retry, ...(errors ? { errors } : {}) } })
  } catch {
    // Not ours: told as it is.
  }
  return new Fault('unexpected-answer', `control answered ${status}: ${text.slice(0, 200)}`)
}

/** Some sentences name the field and what is wrong with it themselves. */
function says(sentence: string, { pointer, detail }: FieldError): boolean {
  return sentence.includes(detail) && sentence.includes(pointer.slice(pointer.lastIndexOf('/') + 1))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
