import type { Result } from '../../common/problem.ts'
import { decideLive, FIRST_LIVE, type LiveMessage, type LiveState, parseLive } from './state.ts'

export type LiveLine = {
  state(): LiveState
  subscribe(listener: () => void): () => void
  /** Puts what an answer of the API said in, ahead of the line. */
  tell(message: LiveMessage): void
  close(): void
}

export type LiveLineOptions = {
  readonly url: string
  readonly open: (url: string) => EventSource
  /** Says whether this browser may ask at all: the line itself cannot tell a refusal from a failure. */
  readonly probe: () => Promise<Result<unknown>>
  readonly now: () => number
}

/** Messages of this long are shown together: a busy night is thousands a second, and nobody reads faster than this. */
const GATHER_MS = 150
const AGAIN_MIN_MS = 500
const AGAIN_MAX_MS = 8_000
const NAMES = ['message', 'titles', 'title', 'status'] as const

/** Follows `GET /api/events` for as long as the page lives, reconnecting by itself. */
export function createLiveLine({ url, open, probe, now }: LiveLineOptions): LiveLine {
  const listeners = new Set<() => void>()
  let state = FIRST_LIVE
  let gathered: LiveMessage[] = []
  let gathering: ReturnType<typeof setTimeout> | undefined
  let source: EventSource | null = null
  let again: ReturnType<typeof setTimeout> | undefined
  let againMs = AGAIN_MIN_MS
  let closed = false

  function settle(): void {
    clearTimeout(gathering)
    gathering = undefined
    const batch = gathered
    gathered = []
    state = decideLive(state, batch, now())
    for (const listener of listeners) listener()
  }

  function tell(message: LiveMessage): void {
    if (closed) return
    gathered.push(message)
    if (message.type === 'event' || message.type === 'title') gathering ??= setTimeout(settle, GATHER_MS)
    else settle()
  }

  function connect(): void {
    const current = open(url)
    source = current
    current.onopen = () => {
      againMs = AGAIN_MIN_MS
      tell({ type: 'opened' })
    }
    for (const name of NAMES) {
      current.addEventListener(name, (event) => {
        const message = parseLive(name, String((event as MessageEvent<unknown>).data))
        if (message !== null) tell(message)
      })
    }
    current.onerror = () => {
      current.close()
      tell({ type: 'lost' })
      void lost()
    }
  }

  async function lost(): Promise<void> {
    const answer = await probe()
    if (closed) return
    if (!answer.ok && answer.problem.status === 401) return tell({ type: 'refused' })
    again = setTimeout(connect, againMs)
    againMs = Math.min(AGAIN_MAX_MS, againMs * 2)
  }

  connect()
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell,
    close() {
      closed = true
      clearTimeout(gathering)
      clearTimeout(again)
      source?.close()
    },
  }
}
