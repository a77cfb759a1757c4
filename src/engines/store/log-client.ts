import { createId, type Limits, type Logger, pause } from '../../kernel/index.ts'
import type { WireClient } from '../../wire/index.ts'
import type { LogPort } from '../log/port.ts'
import { createAppender } from './appender.ts'
import { createReader, createWriter, readRecords } from './codec.ts'
import { decodeBeats, OPERATION } from './messages.ts'
import { createRemoteSubscription, type RemoteSubscription } from './remote-subscription.ts'
import { retryLost } from './retry.ts'

const BEATS_RETRY_MS = 50

/** The log at the store. Reads and commits are repeated when the store goes away under them. */
export function createLogClient(options: {
  wire: WireClient
  limits: Pick<Limits, 'logAppendTimeoutMs' | 'logBatchBytesMax' | 'logRecordBytesMax' | 'wireCallTimeoutMs'>
  logger: Logger
}): LogPort {
  const { wire, limits, logger } = options
  const client = createId()
  const appender = createAppender({ wire, limits })
  const subscriptions = new Map<number, RemoteSubscription>()
  const closing = new AbortController()
  const timeoutMs = limits.wireCallTimeoutMs
  let lastId = 0
  let hearing: Promise<void> | null = null

  const ask = (payload: Uint8Array): Promise<Uint8Array> =>
    retryLost((left) => wire.call(payload, { timeoutMs: left }), { timeoutMs })

  const bounds: LogPort['bounds'] = async (topic) => {
    const answer = await ask(createWriter().u8(OPERATION.bounds).text(topic).done())
    return JSON.parse(Buffer.from(answer).toString()) as Awaited<ReturnType<LogPort['bounds']>>
  }

  /** One stream of heartbeats for all subscriptions, apart from their records: it goes on while a handler is slow. */
  const hear = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await wire
        .call(createWriter().u8(OPERATION.beats).text(client).done(), {
          timeoutMs: Number.POSITIVE_INFINITY,
          signal: closing.signal,
          onPush(payload) {
            for (const beat of decodeBeats(payload)) subscriptions.get(beat.id)?.beat(beat)
          },
        })
        // However it ended, it is asked for again: silence is what its absence looks like.
        .catch(() => {})
      await pause(BEATS_RETRY_MS, closing.signal)
    }
  }

  return {
    append: appender.append,
    async read({ topic, partition = 0, from, max }) {
      const call = createWriter().u8(OPERATION.read).text(topic).u32(partition).f64(from).u32(max).done()
      return readRecords(createReader(await ask(call)), topic)
    },
    subscribe(wanted) {
      const id = ++lastId
      const subscription = createRemoteSubscription(wanted, {
        wire,
        client,
        id,
        logger,
        endOf: async () => (await bounds(wanted.topic))[0]?.end ?? 0,
        onClose: () => void subscriptions.delete(id),
      })
      subscriptions.set(id, subscription)
      hearing ??= hear()
      return subscription
    },
    async commit({ group, topic, partition, offset }) {
      await ask(createWriter().u8(OPERATION.commit).text(group).text(topic).u32(partition).f64(offset).done())
    },
    bounds,
    async trim({ topic, partition, before }) {
      await ask(createWriter().u8(OPERATION.trim).text(topic).u32(partition).f64(before).done())
    },
    async close() {
      await Promise.all([...subscriptions.values()].map((one) => one.close()))
      closing.abort()
      appender.close()
      await hearing
    },
  }
}
