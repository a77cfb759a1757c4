import { describeError, Fault, type Logger } from '../../kernel/index.ts'
import type { WireCall, WireHandler } from '../../wire/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../log/port.ts'
import type { TablesPort } from '../tables/port.ts'
import { createReader, createWriter, measureRecords, type Reader, sliceRecords, writeRecords } from './codec.ts'
import {
  type AppendAnswer,
  type Beat,
  decodeAppends,
  decodeBatch,
  decodeSubscribe,
  encodeAppendAnswers,
  encodeBatchResult,
  encodeBeats,
  OPERATION,
  readStatement,
  writeRows,
} from './messages.ts'

const BEAT_MS = 500
/** Before the records of a push. */
const PLACE_BYTES = 16
/**
 * What is pushed at once: it passes a socket's buffer in a piece or two, and its memory on both ends is used again soon. Megabytes at a
 * time are put together from many, in memory that is new each time: a tenth of a busy subscriber's time went there. Portions much
 * smaller than this cost the store more than they save the subscriber.
 */
const PUSH_BYTES = 256 * 1024
const NOTHING = new Uint8Array(0)

/** Serves a log and tables to the clients of a socket. `endStreams` ends what would otherwise never end, for a drain. */
export type StoreHandler = WireHandler & { endStreams(): void }

export function createStoreHandler(options: { log: LogPort; tables: TablesPort; logger: Logger }): StoreHandler {
  const { log, tables, logger } = options
  /** Subscriptions by client, for the heartbeats. */
  const clients = new Map<string, Map<number, LogSubscription>>()
  const draining = new AbortController()

  /** Lasts until the caller goes or the process drains. */
  const untilEnd = (call: WireCall): Promise<never> =>
    new Promise((_, reject) => {
      const end = (): void => reject(new Fault('draining', 'the store is shutting down; subscribe again shortly'))
      if (call.signal.aborted || draining.signal.aborted) return end()
      call.signal.addEventListener('abort', end, { once: true })
      draining.signal.addEventListener('abort', end, { once: true })
    })

  const append = async (reader: Reader): Promise<Uint8Array> => {
    const answers = decodeAppends(reader).map(({ topic, records }) =>
      log.append(topic, records).then(
        (offsets): AppendAnswer => ({ offsets }),
        (error: unknown): AppendAnswer => ({ fault: toFault(error, logger) }),
      ),
    )
    return encodeAppendAnswers(await Promise.all(answers))
  }

  const subscribe = async (reader: Reader, call: WireCall): Promise<Uint8Array> => {
    const { client, id, topic, group, start } = decodeSubscribe(reader)
    const push = (records: readonly LogRecord[], { next, end }: { next: number; end: number }): Promise<void> =>
      call.push(
        writeRecords(
          createWriter(PLACE_BYTES + measureRecords(records))
            .f64(next)
            .f64(end),
          records,
        ).done(),
      )
    const pushAll = async (records: readonly LogRecord[]): Promise<void> => {
      for (const some of sliceRecords(records, PUSH_BYTES)) await push(some, toPlace(subscription))
    }
    const subscription: LogSubscription = log.subscribe({
      topic,
      ...(group === null ? { start } : { group }),
      onRecords: pushAll,
    })
    const mine = clients.get(client) ?? new Map<number, LogSubscription>()
    clients.set(client, mine)
    mine.set(id, subscription)
    try {
      // Says where it starts: a client that reconnects goes on from there.
      push([], toPlace(subscription)).catch(() => {})
      return await untilEnd(call)
    } finally {
      if (mine.get(id) === subscription) mine.delete(id)
      if (mine.size === 0 && clients.get(client) === mine) clients.delete(client)
      await subscription.close()
    }
  }

  const beats = async (reader: Reader, call: WireCall): Promise<Uint8Array> => {
    const client = reader.text()
    const beat = async (): Promise<void> => {
      while (!call.signal.aborted && !draining.signal.aborted) {
        const all = [...(clients.get(client) ?? [])].map(([id, one]): Beat => ({ id, ...toPlace(one) }))
        await call.push(encodeBeats(all))
        await Bun.sleep(BEAT_MS)
      }
    }
    beat().catch(() => {})
    return untilEnd(call)
  }

  const listen = async (reader: Reader, call: WireCall): Promise<Uint8Array> => {
    let told = true
    let telling = false
    const tell = async (): Promise<void> => {
      told = false
      if (telling) return
      telling = true
      try {
        while (!told) {
          told = true
          await call.push(NOTHING)
        }
      } catch {
        // The caller is gone; `untilEnd` ends the call.
      } finally {
        telling = false
      }
    }
    const stop = tables.listen(reader.text(), () => void tell())
    try {
      // What was committed before this listener existed was told to nobody.
      void tell()
      return await untilEnd(call)
    } finally {
      stop()
    }
  }

  const operations: Readonly<Record<number, (reader: Reader, call: WireCall) => Promise<Uint8Array>>> = {
    [OPERATION.append]: append,
    [OPERATION.subscribe]: subscribe,
    [OPERATION.beats]: beats,
    [OPERATION.listen]: listen,
    async [OPERATION.read](reader) {
      const topic = reader.text()
      const records = await log.read({ topic, partition: reader.u32(), from: reader.f64(), max: reader.u32() })
      return writeRecords(createWriter(measureRecords(records)), records).done()
    },
    async [OPERATION.commit](reader) {
      const group = reader.text()
      await log.commit({ group, topic: reader.text(), partition: reader.u32(), offset: reader.f64() })
      return NOTHING
    },
    async [OPERATION.trim](reader) {
      await log.trim({ topic: reader.text(), partition: reader.u32(), before: reader.f64() })
      return NOTHING
    },
    [OPERATION.bounds]: async (reader) => Buffer.from(JSON.stringify(await log.bounds(reader.text()))),
    async [OPERATION.query](reader) {
      return writeRows(createWriter(1_024), await tables.query(readStatement(reader))).done()
    },
    async [OPERATION.batch](reader) {
      const { statements, notify } = decodeBatch(reader)
      return encodeBatchResult(await tables.batch(statements, { notify }))
    },
  }

  const handle: WireHandler = (payload, call) => {
    const reader = createReader(payload)
    const code = reader.u8()
    const operation = operations[code]
    if (!operation) throw new Fault('message-invalid', `expected a known operation, got ${code}`)
    return operation(reader, call)
  }
  return Object.assign(handle, { endStreams: () => draining.abort() })
}

function toPlace(subscription: LogSubscription): { next: number; end: number } {
  const { next, end } = subscription.position()
  return { next: next[0] ?? 0, end: end[0] ?? 0 }
}

function toFault(error: unknown, logger: Logger): Fault {
  if (error instanceof Fault) return error
  logger.error('an append failed unexpectedly', { error: describeError(error) })
  return new Fault('internal', describeError(error))
}
