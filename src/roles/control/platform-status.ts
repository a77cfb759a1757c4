import { type PlatformStatus, platformStatusSchema } from '../../contracts/index.ts'
import { describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { createWireClient } from '../../wire/index.ts'

const RETRY_MS = 250

/** The platform's health as the supervisor tells it. */
export type StatusWatch = {
  /** As last heard; null while the supervisor has not been heard since its socket was lost. */
  current(): PlatformStatus | null
  onChange(fn: () => void): () => void
  close(): void
}

export function watchStatus(options: { path: string; limits: Limits; logger: Logger }): StatusWatch {
  const { path, limits, logger } = options
  const client = createWireClient({ path, limits })
  const listeners = new Set<() => void>()
  let current: PlatformStatus | null = null
  let closed = false

  const set = (status: PlatformStatus | null): void => {
    current = status
    for (const listener of listeners) listener()
  }
  const follow = async (): Promise<void> => {
    while (!closed) {
      try {
        await client.call(Buffer.from('watch'), {
          timeoutMs: Number.POSITIVE_INFINITY,
          onPush: (payload) => set(platformStatusSchema.parse(JSON.parse(Buffer.from(payload).toString()))),
        })
      } catch (error) {
        if (!closed) logger.warn('the supervisor is not heard; it is asked again', { error: describeError(error) })
      }
      if (closed) return
      set(null)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
  void follow()

  return {
    current: () => current,
    onChange(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    close() {
      closed = true
      client.close()
    },
  }
}
