import { Fault, faultCode, type Limits, pause } from '../../kernel/index.ts'
import type { WireClient } from '../../wire/index.ts'
import type { TablesPort } from '../tables/port.ts'
import { createReader, createWriter } from './codec.ts'
import { decodeBatchResult, encodeBatch, OPERATION, readRows, writeStatement } from './messages.ts'
import { retryLost } from './retry.ts'

const LISTEN_RETRY_MS = 50

type Channel = { readonly listeners: Set<() => void>; readonly stop: AbortController }

/**
 * The tables at the store. A query is repeated when the store goes away under it; a batch only when the store said that
 * it did not begin it (`draining`): one whose answer was lost (`wire-lost`) may have happened.
 */
export function createTablesClient(options: {
  wire: WireClient
  limits: Pick<Limits, 'wireCallTimeoutMs'>
}): TablesPort {
  const { wire, limits } = options
  const timeoutMs = limits.wireCallTimeoutMs
  const channels = new Map<string, Channel>()
  let closed = false

  const checkOpen = (): void => {
    if (closed) throw new Fault('tables-unavailable', 'the client of the store is closed')
  }

  /** The store tells at once when it begins to listen: whatever was missed while nobody did is looked at then. */
  const follow = async (name: string, { listeners, stop }: Channel): Promise<void> => {
    while (!stop.signal.aborted) {
      await wire
        .call(createWriter().u8(OPERATION.listen).text(name).done(), {
          timeoutMs: Number.POSITIVE_INFINITY,
          signal: stop.signal,
          onPush() {
            for (const listener of listeners) queueMicrotask(listener)
          },
        })
        .catch(() => {})
      await pause(LISTEN_RETRY_MS, stop.signal)
    }
  }

  return {
    async query(statement) {
      checkOpen()
      const call = writeStatement(createWriter().u8(OPERATION.query), statement).done()
      return readRows(createReader(await retryLost((left) => wire.call(call, { timeoutMs: left }), { timeoutMs })))
    },
    async batch(statements, { notify = [] } = {}) {
      checkOpen()
      const call = encodeBatch(statements, notify)
      const repeats = (error: unknown): boolean => faultCode(error) === 'draining'
      return decodeBatchResult(await retryLost((left) => wire.call(call, { timeoutMs: left }), { timeoutMs, repeats }))
    },
    listen(name, onNotify) {
      const channel = channels.get(name) ?? { listeners: new Set(), stop: new AbortController() }
      if (!channels.has(name)) {
        channels.set(name, channel)
        void follow(name, channel)
      }
      const listener = (): void => {
        if (channel.listeners.has(listener)) onNotify()
      }
      channel.listeners.add(listener)
      return () => {
        channel.listeners.delete(listener)
        if (channel.listeners.size > 0) return
        channel.stop.abort()
        if (channels.get(name) === channel) channels.delete(name)
      }
    },
    async close() {
      closed = true
      for (const { stop, listeners } of channels.values()) {
        listeners.clear()
        stop.abort()
      }
      channels.clear()
    },
  }
}
