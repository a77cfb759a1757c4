import { describeError, Fault, faultCode, type Limits } from '../../kernel/index.ts'
import type { WireClient } from '../../wire/index.ts'
import { checkSizes, measureBatch } from '../log/group-commit.ts'
import type { LogPort } from '../log/port.ts'
import { measureRecord } from '../log/record.ts'
import { type AppendCall, decodeAppendAnswers, encodeAppends } from './messages.ts'
import { isLoss } from './retry.ts'

/** Messages that may be unanswered; while all are, appends gather for the next. */
const IN_FLIGHT_MAX = 8
const QUEUE_BATCHES_MAX = 16
const RESEND_MS = 20
const SWEEP_MS = 50

type Pending = AppendCall & {
  readonly bytes: number
  readonly deadlineMs: number
  readonly resolve: (offsets: readonly number[]) => void
  readonly reject: (error: unknown) => void
  settled: boolean
  /** Sent once already, and not answered: it may have happened then, whatever is said of it now. */
  resent: boolean
}

export type Appender = { append: LogPort['append']; close(): void }

/**
 * Sends appends to the store: those called in one turn of the event loop travel in one message. When the connection
 * breaks, every message without an answer is sent again, in the order of the calls and before anything newer, until its
 * appends' time is up: at least once, and order per key holds. What was sent again can only succeed or be uncertain: any
 * fault of it is `timeout`.
 */
export function createAppender(options: {
  wire: WireClient
  limits: Pick<Limits, 'logAppendTimeoutMs' | 'logBatchBytesMax' | 'logRecordBytesMax'>
}): Appender {
  const { wire, limits } = options
  const queueBytesMax = Math.max(limits.logBatchBytesMax * QUEUE_BATCHES_MAX, limits.logRecordBytesMax)
  let queue: Pending[] = []
  let queuedBytes = 0
  let inFlight = 0
  /** Messages that were lost, to be sent again once none is in flight. */
  let lost: { readonly number: number; readonly appends: readonly Pending[] }[] = []
  let sent = 0
  let scheduled = false
  let closed = false

  const sweeper = setInterval(() => {
    const now = performance.now()
    if (!queue.some(({ deadlineMs }) => deadlineMs <= now)) return
    for (const pending of queue) if (pending.deadlineMs <= now) settle(pending, toTimeout(pending.topic, limits))
    replaceQueue(queue)
  }, SWEEP_MS)
  sweeper.unref()

  const replaceQueue = (next: readonly Pending[]): void => {
    queue = next.filter(({ settled }) => !settled)
    queuedBytes = queue.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  const settle = (pending: Pending, fault: unknown): void => {
    pending.settled = true
    pending.reject(pending.resent ? toUncertain(pending.topic, fault) : fault)
  }

  const schedule = (delayMs = 0): void => {
    if (scheduled || closed) return
    scheduled = true
    if (delayMs > 0) setTimeout(pump, delayMs)
    else setImmediate(pump)
  }

  const pump = (): void => {
    scheduled = false
    while (!closed && queue.length > 0 && inFlight < IN_FLIGHT_MAX && lost.length === 0) void send(takeMessage())
  }

  const takeMessage = (): Pending[] => {
    const { count, bytes } = measureBatch(queue, limits.logBatchBytesMax)
    queuedBytes -= bytes
    return queue.splice(0, count)
  }

  const send = async (appends: readonly Pending[]): Promise<void> => {
    const number = sent++
    const bytes = appends.reduce((sum, pending) => sum + pending.bytes, 0)
    const timeoutMs = Math.max(1, Math.max(...appends.map(({ deadlineMs }) => deadlineMs)) - performance.now())
    inFlight += 1
    try {
      const answers = decodeAppendAnswers(await wire.call(encodeAppends(appends, bytes), { timeoutMs }))
      for (const [index, pending] of appends.entries()) take(pending, answers[index])
    } catch (error) {
      if (isLoss(error)) lost.push({ number, appends })
      else for (const pending of appends) settle(pending, toAppendFault(error, pending.topic, limits))
    }
    inFlight -= 1
    if (lost.length === 0) schedule()
    else if (inFlight === 0) resend()
  }

  const take = (pending: Pending, answer: ReturnType<typeof decodeAppendAnswers>[number] | undefined): void => {
    if (!answer) settle(pending, new Fault('internal', `topic ${pending.topic}: the store left out an answer`))
    else if ('fault' in answer) settle(pending, answer.fault)
    else {
      pending.settled = true
      pending.resolve(answer.offsets)
    }
  }

  const resend = (): void => {
    const again = lost.sort((a, b) => a.number - b.number).flatMap(({ appends }) => appends)
    lost = []
    for (const pending of again) pending.resent = true
    if (closed) for (const pending of again) settle(pending, toClosed())
    replaceQueue([...again, ...queue])
    schedule(RESEND_MS)
  }

  return {
    append(topic, records) {
      if (closed) return Promise.reject(new Fault('log-unavailable', 'the client of the store is closed'))
      if (records.length === 0) return Promise.resolve([])
      const measured = records.map((record) => ({ record, sizes: measureRecord(record) }))
      const bytes = measured.reduce((sum, { sizes }) => sum + sizes.totalBytes, 0)
      const refused = checkSizes(topic, measured, bytes, limits)
      if (refused) return Promise.reject(refused)
      if (queuedBytes + bytes > queueBytesMax)
        return Promise.reject(
          new Fault(
            'log-unavailable',
            `topic ${topic}: ${queuedBytes} bytes wait for the store, the limit is ${queueBytesMax}; retry later`,
          ),
        )
      return new Promise((resolve, reject) => {
        const deadlineMs = performance.now() + limits.logAppendTimeoutMs
        queue.push({ topic, records, bytes, deadlineMs, resolve, reject, settled: false, resent: false })
        queuedBytes += bytes
        schedule()
      })
    },
    close() {
      closed = true
      clearInterval(sweeper)
      for (const pending of queue.splice(0)) settle(pending, toClosed())
    },
  }
}

function toAppendFault(error: unknown, topic: string, limits: Pick<Limits, 'logAppendTimeoutMs'>): unknown {
  const code = faultCode(error)
  if (code === 'timeout') return toTimeout(topic, limits)
  if (code === 'overloaded' || code === 'closed')
    return new Fault('log-unavailable', `topic ${topic}: the store takes no appends now; retry later`, { cause: error })
  return error
}

function toClosed(): Fault {
  return new Fault('log-unavailable', 'the client of the store was closed before the append was sent')
}

function toUncertain(topic: string, cause: unknown): unknown {
  if (faultCode(cause) === 'timeout') return cause
  return new Fault(
    'timeout',
    `topic ${topic}: the connection to the store broke under an append, and sent again it failed: ${describeError(cause)}; the first may have happened`,
    { cause, detail: { topic } },
  )
}

function toTimeout(topic: string, limits: Pick<Limits, 'logAppendTimeoutMs'>): Fault {
  return new Fault(
    'timeout',
    `topic ${topic}: the store did not answer an append within ${limits.logAppendTimeoutMs} ms; it may still happen; check that the store runs`,
    { detail: { topic } },
  )
}
