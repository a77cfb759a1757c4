import type { AnyEvent, EventPosition, Registry } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Clock, Limits } from '../../kernel/index.ts'
import type { Claims } from '../claims/index.ts'
import { type AdmissionLimits, createAdmission } from './admission.ts'
import { type Appending, appendClaimed, checkAppendBytes } from './append.ts'
import { type ClaimChecked, claimCheck, type Encoded, encodeDraft } from './claim-check.ts'
import { isStream } from './gather.ts'
import { keepPace, type PaceLimits } from './keep-pace.ts'
import { checkNewEvents, type NewEvent } from './new-event.ts'
import { loadJsonPayloads, measurePayloads } from './payloads.ts'

export type Published = { readonly event: AnyEvent; readonly position: EventPosition }

export type Producer = {
  /**
   * All of them on the log, durable, when it resolves, in the order given within each topic. All are checked first, and
   * nothing is appended unless all pass. `event` is as it is on the log: large data and opaque payloads by reference.
   *
   * Faults: `event-invalid` (`detail.errors` names index, path and detail of each field at fault), `payload-too-large`,
   * `payload-interrupted` (broken off, or too slow), `hub-busy` (`detail.retryAfterMs`; nothing was taken), `claim-missing`, `claim-expired`, and
   * those of the engines (`log-full`, `objects-full`, …). Where the events are of several topics, or after `timeout` and
   * `log-unavailable`, some may be on the log: whoever publishes again gives the same ids.
   */
  publish(events: readonly NewEvent[]): Promise<readonly Published[]>
}

export type ProducerLimits = AdmissionLimits &
  PaceLimits &
  Pick<Limits, 'hubClaimBytesMin' | 'hubClaimGraceMs' | 'hubRecordBytesMax' | 'hubKeyBytesMax' | 'logRecordBytesMax'>

export function createProducer(options: {
  log: LogPort
  registry: Registry
  claims: Claims
  /** CloudEvents `source` of events that name none. */
  source: string
  limits: ProducerLimits
  clock: Clock
}): Producer {
  const { registry, claims, source, limits, clock } = options
  const admission = createAdmission(limits)

  const encode = async (events: readonly NewEvent[]): Promise<readonly Encoded[]> => {
    const loaded = await loadJsonPayloads(events, { registry, claims, limits })
    const drafts = checkNewEvents(loaded, { registry, source, nowMs: clock.nowMs(), limits })
    return drafts.map((draft) => encodeDraft(draft, limits.hubClaimBytesMin))
  }

  return {
    async publish(given) {
      if (given.length === 0) return []
      const events = given.map((event) => paceStream(event, options))
      const begunAtMs = clock.elapsedMs()
      const admitted = admission.enter(measurePayloads(events, registry, limits))
      try {
        const encoded = await encode(events)
        const bytes = encoded.reduce((sum, { value }) => sum + value.byteLength, 0)
        admitted.grow(bytes)
        const inline = encoded.reduce((sum, { value, data }) => sum + (data ? 0 : value.byteLength), 0)
        checkAppendBytes(inline, events.length, limits)
        const claimed = await claimCheck(encoded, { claims, limits, clock, begunAtMs })
        return await appendAll(claimed, options)
      } finally {
        admitted.leave()
      }
    },
  }
}

function paceStream(event: NewEvent, parts: { limits: PaceLimits; clock: Clock }): NewEvent {
  const body = event.payload?.body
  if (!event.payload || !body || !isStream(body)) return event
  return { ...event, payload: { ...event.payload, body: keepPace(body, parts) } }
}

/** One append per topic, side by side; settled when all are, so that nothing is under way once the caller is told. */
async function appendAll(
  { checked, made }: ClaimChecked,
  parts: { log: LogPort; claims: Claims },
): Promise<readonly Published[]> {
  const byTopic = new Map<string, { index: number; appending: Appending }[]>()
  for (const [index, { topic, event, value }] of checked.entries()) {
    const one = { index, appending: { append: { key: event.subject, value }, claim: made.get(event) ?? null } }
    const others = byTopic.get(topic)
    if (others) others.push(one)
    else byTopic.set(topic, [one])
  }
  const published: Published[] = []
  const settled = await Promise.allSettled(
    [...byTopic].map(async ([topic, entries]) => {
      const appendings = entries.map(({ appending }) => appending)
      const offsets = await appendClaimed(parts, topic, appendings)
      for (const [at, { index }] of entries.entries()) {
        const { event } = checked[index] as (typeof checked)[number] // the index came from this array
        published[index] = { event, position: { topic, partition: 0, offset: offsets[at] ?? -1 } }
      }
    }),
  )
  for (const one of settled) if (one.status === 'rejected') throw one.reason
  return published
}
