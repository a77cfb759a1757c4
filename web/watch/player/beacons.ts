import type { Result } from '../../common/problem.ts'
import { isPassing } from '../api/client.ts'
import type { Signal } from '../api/types.ts'

/** Most signals in one request, as the contract says. */
const BATCH_MAX = 50
/** Signals kept while the server cannot be reached; the oldest go first, since the newest say where the film stands. */
const KEPT_MAX = 200

export type Beacons = {
  add(signal: Signal): void
  /** Sends what is kept; what could not be delivered stays for the next time. */
  flush(options: { leaving: boolean }): Promise<void>
}

type Send = (batch: readonly Signal[], options: { leaving: boolean }) => Promise<Result<unknown>>

/** Signals on their way to the server. A repeat has no further effect there, so a doubtful one is sent again. */
export function createBeacons(send: Send): Beacons {
  let kept: Signal[] = []
  let sending: Promise<void> | null = null

  async function drain(): Promise<void> {
    while (kept.length > 0) {
      const batch = kept.slice(0, BATCH_MAX)
      const answer = await send(batch, { leaving: false })
      if (!answer.ok && isPassing(answer.problem)) return
      // Delivered, or refused for good: asking again would change nothing.
      const done = new Set(batch)
      kept = kept.filter((signal) => !done.has(signal))
    }
  }

  return {
    add(signal) {
      kept = [...kept, signal].slice(-KEPT_MAX)
    },
    async flush({ leaving }) {
      if (leaving) {
        if (kept.length > 0) void send(kept.slice(-BATCH_MAX), { leaving: true })
        return
      }
      sending ??= drain().finally(() => {
        sending = null
      })
      await sending
    },
  }
}
