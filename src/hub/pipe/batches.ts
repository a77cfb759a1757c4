import type { DataError } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import { createQueue, Fault, faultCode, type Queue } from '../../kernel/index.ts'
import type { AddDeadLetters } from '../bus/dead-letter.ts'
import type { Claim } from '../claims/claim.ts'
import type { PipeEvent, PublishEvents } from './ports.ts'
import type { Processed } from './process-record.ts'
import { toLetter } from './quarantine.ts'
import { type Refusal, refusedByEvent, toRefusal } from './refusal.ts'
import { isFinal, type Persist } from './retry.ts'
import type { WindowEntry } from './window.ts'

/** A record that has been worked on, and what is to become of it. */
export type Finished = {
  readonly record: LogRecord
  readonly claim: Claim | null
  readonly entry: WindowEntry
  readonly processed: Processed
}

/** What is finished, in the order it was: published together, so that many records share one wait for the disk. */
export type Batches = {
  add(finished: Finished): void
  /** Resolves when fewer events than allowed wait to be published, or nothing is published any more. */
  room(): Promise<void>
  /** The batch under way is awaited; no other begins. */
  close(): Promise<void>
}

type BatchOptions = {
  readonly pipe: string
  readonly publishEvents: PublishEvents
  readonly addDeadLetters: AddDeadLetters
  readonly recordsMax: number
  readonly bytesMax: number
  readonly eventsMax: number
  readonly waitingEventsMax: number
  readonly persist: Persist
  readonly nowMs: () => number
  /** Its events are on the log, or its dead letter is in the tables. */
  readonly onSettled: (verdict: Verdict) => void
}

export function createBatches(options: BatchOptions): Batches {
  const { waitingEventsMax, onSettled } = options
  const waiting = createQueue<Finished>()
  let waitingEvents = 0
  let crowded = Promise.withResolvers<void>()
  let running: Promise<void> | null = null
  let closed = false

  const endCrowd = (): void => {
    crowded.resolve()
    crowded = Promise.withResolvers<void>()
  }

  const run = async (): Promise<void> => {
    // Whatever else is finished in this turn of the event loop goes along.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      while (waiting.size() > 0 && !closed) {
        const batch = takeBatch(waiting, options)
        const verdicts = await publishInOrder(batch, options)
        await quarantine(verdicts, options)
        for (const verdict of verdicts) onSettled(verdict)
        waitingEvents -= batch.reduce((sum, finished) => sum + eventsOf(finished).length, 0)
        if (waitingEvents < waitingEventsMax) endCrowd()
      }
    } catch (error) {
      // What a closed pipe had in hand comes again; anything else is a bug, and must not be passed over in silence.
      if (faultCode(error) !== 'closed') throw error
    } finally {
      running = null
    }
  }

  return {
    add(finished) {
      waiting.push(finished)
      waitingEvents += eventsOf(finished).length
      running ??= run()
    },
    async room() {
      while (waitingEvents >= waitingEventsMax && !closed) await crowded.promise
    },
    async close() {
      closed = true
      endCrowd()
      await running
    },
  }
}

/** As many as the bounds allow, and always the first. */
function takeBatch(
  waiting: Queue<Finished>,
  bounds: Pick<BatchOptions, 'recordsMax' | 'bytesMax' | 'eventsMax'>,
): Finished[] {
  const batch: Finished[] = []
  let bytes = 0
  let events = 0
  for (let next = waiting.first(); next && batch.length < bounds.recordsMax; next = waiting.first()) {
    bytes += next.entry.recordBytes + next.entry.loadedBytes
    events += eventsOf(next).length
    if (batch.length > 0 && (bytes > bounds.bytesMax || events > bounds.eventsMax)) break
    batch.push(next)
    waiting.shift()
  }
  return batch
}

const eventsOf = ({ processed }: Finished): readonly PipeEvent[] =>
  processed.kind === 'events' ? processed.events : []

/** What has become of it: refused, or not. */
export type Verdict = { readonly finished: Finished; readonly refusal: Refusal | null }

/**
 * Publishes the batch's events. When the producer refuses some for good, halves are tried, the first before the second,
 * down to the record at fault: order is kept and all others are published.
 */
async function publishInOrder(batch: readonly Finished[], options: BatchOptions): Promise<readonly Verdict[]> {
  const events = batch.flatMap(eventsOf)
  if (events.length === 0) return batch.map((finished) => ({ finished, refusal: refusalOf(finished) }))
  try {
    await options.persist('publishing events', () => publish(events, options.publishEvents), { isFinal })
    return batch.map((finished) => ({ finished, refusal: refusalOf(finished) }))
  } catch (error) {
    if (!isFinal(error)) throw error
    const [only] = batch
    if (batch.length === 1 && only) return [{ finished: only, refusal: refusedByProducer(error) }]
    const middle = batch.length >> 1
    const first = await publishInOrder(batch.slice(0, middle), options)
    return [...first, ...(await publishInOrder(batch.slice(middle), options))]
  }
}

async function publish(events: readonly PipeEvent[], publishEvents: PublishEvents): Promise<void> {
  try {
    await publishEvents(events)
  } catch (error) {
    // Data that no JSON can be made of fails the same way each time.
    if (faultCode(error) === 'internal') for (const event of events) checkSerializable(event)
    throw error
  }
}

function checkSerializable(event: PipeEvent): void {
  try {
    JSON.stringify(event.data)
  } catch (cause) {
    throw new Fault('event-invalid', `${event.type}: /data: expected what JSON can express`, { cause })
  }
}

const refusalOf = ({ processed }: Finished): Refusal | null => (processed.kind === 'refused' ? processed.refusal : null)

function refusedByProducer(error: unknown): Refusal {
  const code = faultCode(error)
  const errors = error instanceof Fault ? error.detail['errors'] : undefined
  // The producer's own list: which of the record's events, where and why.
  if (code === 'event-invalid' && Array.isArray(errors)) return refusedByEvent('its events', errors as DataError[])
  return toRefusal(code.startsWith('claim-') ? 'payload-missing' : 'event-invalid', error)
}

async function quarantine(verdicts: readonly Verdict[], options: BatchOptions): Promise<void> {
  const failedAtMs = options.nowMs()
  const letters = verdicts.flatMap(({ finished, refusal }) =>
    refusal ? [toLetter(options.pipe, { ...finished, refusal, failedAtMs })] : [],
  )
  if (letters.length > 0) await options.persist('adding dead letters', () => options.addDeadLetters(letters))
}
