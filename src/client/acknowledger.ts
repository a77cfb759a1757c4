import { type HubHttp, pause } from './http.ts'
import { HubError } from './types.ts'

export type Verdict =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack'; readonly reason: string; readonly final: boolean }

export type Acknowledger = {
  add(id: string, verdict: Verdict): void
  /**
   * Of a delivery that came again: true when it was done before, which is told once more; the hub may have forgotten what the
   * telling under way is about. What had failed is to be tried again.
   */
  repeat(id: string): boolean
  /** The last call. Resolves when everything was told, or could not be in a few seconds: then it is delivered again. */
  finish(): Promise<void>
}

const DELAY_MS = 10
const BATCH_MAX = 500
/** Of those that could not be told; the oldest is forgotten then, and so delivered again. */
const WAITING_MAX = 10_000
/** A hub that is away must not hold up the end of a service. */
const FINISH_MS = 5_000

/** Tells the hub what became of deliveries, many at once: one request at a time, what comes meanwhile goes with the next. */
export function createAcknowledger(options: { http: HubHttp; subscription: string; eager: number }): Acknowledger {
  const { http, subscription, eager } = options
  const waiting = new Map<string, Verdict>()
  const over = new AbortController()
  let sending: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | null = null

  const sendBatch = async (): Promise<void> => {
    await send([...waiting].slice(0, BATCH_MAX))
  }
  const send = async (batch: readonly (readonly [string, Verdict])[]): Promise<void> => {
    const acks = batch.flatMap(([id, { kind }]) => (kind === 'ack' ? [id] : []))
    const nacks = batch.flatMap(([id, verdict]) =>
      verdict.kind === 'nack' ? [{ id, reason: verdict.reason.slice(0, 2_000), final: verdict.final }] : [],
    )
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ acks, nacks }),
    }
    try {
      await http.sendWithRetries(`/subscriptions/${subscription}/acks`, init, { signal: over.signal })
    } catch (error) {
      if (!isRefused(error)) throw error
      // One that is not taken must not keep the others: it is found by halves, and forgotten, so that the hub goes by its time.
      const half = Math.ceil(batch.length / 2)
      if (batch.length > 1) {
        await send(batch.slice(0, half))
        await send(batch.slice(half))
        return
      }
    }
    // What was said of the same delivery in the meantime has yet to be told.
    for (const [id, verdict] of batch) if (waiting.get(id) === verdict) waiting.delete(id)
  }
  const sendAll = async (): Promise<void> => {
    // What cannot be told is told with the next: the hub delivers again what it does not hear of, which is no loss.
    while (waiting.size > 0) await sendBatch()
  }
  const start = (): Promise<void> => {
    if (timer) clearTimeout(timer)
    timer = null
    sending ??= sendAll()
      .catch(() => {})
      .finally(() => {
        sending = null
      })
    return sending
  }

  const add = (id: string, verdict: Verdict): void => {
    waiting.delete(id)
    waiting.set(id, verdict)
    const [oldest] = waiting.keys()
    if (waiting.size > WAITING_MAX && oldest !== undefined) waiting.delete(oldest)
    if (sending) return
    if (waiting.size >= eager) void start()
    else timer ??= setTimeout(() => void start(), DELAY_MS)
  }

  return {
    add,
    repeat(id) {
      const verdict = waiting.get(id)
      if (verdict?.kind === 'ack') {
        add(id, { ...verdict })
        return true
      }
      waiting.delete(id)
      return false
    },
    async finish() {
      const told = (sending ?? Promise.resolve()).then(() => (waiting.size > 0 ? start() : undefined))
      const timeout = new AbortController()
      await Promise.race([told, pause(FINISH_MS, timeout.signal)])
      timeout.abort()
      over.abort()
      if (timer) clearTimeout(timer)
    },
  }
}

/** The request is at fault, not the hub, the way to it, or who asks. */
function isRefused(error: unknown): boolean {
  return error instanceof HubError && (error.status === 400 || error.status === 413)
}
