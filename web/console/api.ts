import type {
  DeadLetter,
  EdgeView,
  EventJourney,
  HubOverview,
  PlatformStatus,
  StaffTitle,
} from '../../src/contracts/index.ts'
import { type Result, readAnswer, unreachable } from '../common/problem.ts'

const ANSWER_TIMEOUT_MS = 15_000

/** A dead letter with what was in it, in `base64` where it is no text; null when it is gone, or large: then `claim` names it. */
export type ShownLetter = DeadLetter & {
  readonly payload: string | null
  readonly encoding: 'text' | 'base64' | null
  readonly claim?: { readonly ref: string }
}

/** `next` is null when there are no more. */
export type LettersPage = { readonly deadLetters: readonly DeadLetter[]; readonly next: string | null }

export type LettersQuery = {
  readonly state: DeadLetter['state'] | null
  readonly kind: DeadLetter['kind'] | null
  /** Of a subscription or a pipe; empty: of all. */
  readonly name: string
  readonly max: number
}

/** The staff API, in the browser's own session. */
export type StaffApi = {
  status(): Promise<Result<PlatformStatus>>
  edge(): Promise<Result<EdgeView>>
  hub(): Promise<Result<HubOverview>>
  /** Newest first. */
  deadLetters(query: LettersQuery): Promise<Result<LettersPage>>
  deadLetter(id: string): Promise<Result<ShownLetter>>
  settleDeadLetter(id: string, how: 'redrive' | 'discard'): Promise<Result<unknown>>
  enableSubscription(name: string): Promise<Result<unknown>>
  journey(eventId: string): Promise<Result<EventJourney>>
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
    hub: () => call('/hub/v1/overview'),
    deadLetters: (query) => call(`/hub/v1/dead-letters?${toSearch(query)}`),
    deadLetter: (id) => call(`/hub/v1/dead-letters/${encodeURIComponent(id)}`),
    settleDeadLetter: (id, how) => call(`/hub/v1/dead-letters/${encodeURIComponent(id)}/${how}`, {}),
    enableSubscription: (name) => call(`/hub/v1/subscriptions/${encodeURIComponent(name)}/enable`, {}),
    journey: (eventId) => call(`/hub/v1/journeys/${encodeURIComponent(eventId)}`),
    title: (id) => call(at(id)),
    createTitle: (title) => call('/api/titles', title),
    withdraw: (id, reason) => call(`${at(id)}/withdraw`, { reason }),
  }
}

function toSearch({ state, kind, name, max }: LettersQuery): URLSearchParams {
  return new URLSearchParams({
    max: String(max),
    ...(state === null ? {} : { state }),
    ...(kind === null ? {} : { kind }),
    ...(name === '' ? {} : { name }),
  })
}
