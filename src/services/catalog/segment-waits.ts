/** How a wait for a segment ended. `full`: as many waits as are allowed are under way already. */
export type SegmentWait = 'ready' | 'unlisted' | 'timeout' | 'cancelled' | 'full'

/** Which segment of a track: its number, or whichever is made first. */
export type SegmentIndex = number | 'any'

export type WaitOptions = { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }

export type SegmentWaits = {
  wait(titleId: string, track: string, index: SegmentIndex, options: WaitOptions): Promise<SegmentWait>
  /** To be called after each change of the title. */
  changed(titleId: string): void
  size(): number
  close(): void
}

type Waiter = { readonly track: string; readonly index: SegmentIndex; readonly end: (result: SegmentWait) => void }

/** Who waits for which segment, at most `waitsMax` at once. `look` says how things stand; null means still to be made. */
export function createSegmentWaits(options: {
  waitsMax: number
  look: (titleId: string, track: string, index: SegmentIndex) => 'ready' | 'unlisted' | null
}): SegmentWaits {
  const { waitsMax, look } = options
  const waiters = new Map<string, Set<Waiter>>()
  let size = 0

  return {
    size: () => size,
    wait(titleId, track, index, { timeoutMs, signal }) {
      const now = look(titleId, track, index)
      if (now) return Promise.resolve(now)
      if (signal?.aborted) return Promise.resolve('cancelled')
      if (size >= waitsMax) return Promise.resolve('full')
      return new Promise((resolve) => {
        const ofTitle = waiters.get(titleId) ?? new Set<Waiter>()
        waiters.set(titleId, ofTitle)
        const cancel = (): void => waiter.end('cancelled')
        const timer = setTimeout(() => waiter.end('timeout'), timeoutMs)
        const waiter: Waiter = {
          track,
          index,
          end(result) {
            if (!ofTitle.delete(waiter)) return
            size -= 1
            if (ofTitle.size === 0) waiters.delete(titleId)
            clearTimeout(timer)
            signal?.removeEventListener('abort', cancel)
            resolve(result)
          },
        }
        ofTitle.add(waiter)
        size += 1
        signal?.addEventListener('abort', cancel, { once: true })
      })
    },
    changed(titleId) {
      for (const waiter of [...(waiters.get(titleId) ?? [])]) {
        const result = look(titleId, waiter.track, waiter.index)
        if (result) waiter.end(result)
      }
    },
    close() {
      for (const ofTitle of [...waiters.values()]) for (const waiter of [...ofTitle]) waiter.end('cancelled')
    },
  }
}
