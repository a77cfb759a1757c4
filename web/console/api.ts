import type { EdgeView, PlatformStatus, StaffTitle } from '../../src/contracts/index.ts'
import { type Result, readAnswer, unreachable } from '../common/problem.ts'

const ANSWER_TIMEOUT_MS = 15_000

/** The staff API, in the browser's own session. */
export type StaffApi = {
  status(): Promise<Result<PlatformStatus>>
  edge(): Promise<Result<EdgeView>>
  title(id: string): Promise<Result<StaffTitle>>
  createTitle(title: { name: string; description: string }): Promise<Result<StaffTitle>>
  withdraw(id: string, reason: string): Promise<Result<StaffTitle>>
}

export function createStaffApi(fetch: (path: string, init: RequestInit) => Promise<Response>): StaffApi {
  async function call<T>(path: string, body?: unknown): Promise<Result<T>> {
    const init: RequestInit = { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }
    const sent: RequestInit =
      body === undefined
        ? init
        : { ...init, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    try {
      return await readAnswer<T>(await fetch(path, sent))
    } catch (error) {
      return { ok: false, problem: unreachable(error) }
    }
  }
  const at = (id: string): string => `/api/titles/${encodeURIComponent(id)}`
  return {
    status: () => call('/api/status'),
    edge: () => call('/api/edge'),
    title: (id) => call(at(id)),
    createTitle: (title) => call('/api/titles', title),
    withdraw: (id, reason) => call(`${at(id)}/withdraw`, { reason }),
  }
}
