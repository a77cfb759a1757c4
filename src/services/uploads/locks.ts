import type { Lock, Locker, RequestRelease } from '@tus/server'
import { toTusError } from './refusal.ts'

const POLL_MS = 10

/**
 * One request at a time per upload. A PATCH that meets a locked upload is answered 423 at once. A HEAD or DELETE is what a
 * client sends that has given up its former request or lost its connection: it asks the request that still holds the
 * lock, waiting for bytes that will not come, to let go.
 */
export type UploadLocks = {
  lockerFor(method: string): Locker
  /** For the sweep: how to let go again, or null when a request holds it. */
  tryLock(id: string): (() => void) | null
}

export function createUploadLocks(options: { waitMs: number }): UploadLocks {
  const held = new Map<string, RequestRelease>()

  const tryLock = (id: string, onAsked: RequestRelease = () => {}): (() => void) | null => {
    if (held.has(id)) return null
    held.set(id, onAsked)
    return () => {
      held.delete(id)
    }
  }
  const waitForLock = async (
    id: string,
    onAsked: RequestRelease,
    signal: AbortSignal,
  ): Promise<(() => void) | null> => {
    const deadlineMs = performance.now() + options.waitMs
    for (;;) {
      const release = tryLock(id, onAsked)
      if (release) return release
      await held.get(id)?.()
      if (signal.aborted || performance.now() > deadlineMs) return null
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
  const newLock = (id: string, method: string): Lock => {
    let release: (() => void) | null = null
    return {
      async lock(signal, onAsked) {
        release = method === 'PATCH' ? tryLock(id, onAsked) : await waitForLock(id, onAsked, signal)
        if (!release)
          throw toTusError({
            status: 423,
            code: 'upload-locked',
            detail: `another request is writing to upload ${id}; ask for its offset by HEAD, then go on from there`,
          })
      },
      async unlock() {
        release?.()
      },
    }
  }
  return { lockerFor: (method) => ({ newLock: (id) => newLock(id, method) }), tryLock: (id) => tryLock(id) }
}
