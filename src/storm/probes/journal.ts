import type { CloudEvent } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { decodeEvent } from '../../hub/index.ts'
import { type Clock, describeError, Fault, faultCode, pause, systemClock } from '../../kernel/index.ts'
import type { JournalResult } from '../report/report.ts'
import type { ViewerNote } from '../viewer/protocol.ts'
import { type Column, createColumn, createIds, type Ids } from './ids.ts'

const TOPICS = ['sessions', 'signals'] as const
type Topic = (typeof TOPICS)[number]
type Offsets = Readonly<Record<number, number>>
type Starts = Readonly<Record<Topic, Offsets>>

/** What viewers sent and what was acknowledged to them, to be compared with the log when the storm is over. */
export type Journal = {
  /** Notes where the log ends now: what came before is not the storm's. A log that cannot say so makes the check say why. */
  begin(log: LogPort): Promise<void>
  /** Notes of other types are passed over. */
  note(note: ViewerNote): void
  acknowledged(): number
  /** Where the log ended when the storm began, or why that is not known. */
  starts(): { readonly ok: true; readonly offsets: Starts } | { readonly ok: false; readonly why: string }
  /** A comparison that has seen nothing of the log yet. */
  tally(): Tally
}

/** The log's side of the comparison. */
export type Tally = {
  /** The topics in the order of `TOPICS`: a signal is known as the storm's own by its session, too. */
  take(event: CloudEvent): void
  lost(): number
  doubled(): number
  redelivered(): number
}

const SENT = 1
const ACKNOWLEDGED = 2

export function createJournal(): Journal {
  const ids = createIds()
  const flags = createColumn((length) => new Uint8Array(length))
  const viewers = createIds()
  const playbacks = createColumn((length) => new Uint32Array(length))
  let acknowledged = 0
  let starts: ReturnType<Journal['starts']> = { ok: false, why: 'the journal was not begun before the storm' }

  const acknowledge = (id: string): void => {
    const at = ids.add(id)
    if ((flags.get(at) & ACKNOWLEDGED) !== 0) return
    flags.set(at, flags.get(at) | ACKNOWLEDGED)
    acknowledged += 1
  }

  return {
    async begin(log) {
      try {
        const [sessions, signals] = await Promise.all(TOPICS.map((topic) => endsOf(log, topic)))
        starts = { ok: true, offsets: { sessions: sessions ?? {}, signals: signals ?? {} } }
      } catch (error) {
        starts = { ok: false, why: `where the log ended before the storm is not known: ${describeError(error)}` }
      }
    },
    note(note) {
      if (note.type === 'playback-sent') {
        const viewer = viewers.add(note.viewerId)
        playbacks.set(viewer, playbacks.get(viewer) + 1)
      } else if (note.type === 'playback-acknowledged') acknowledge(note.sessionId)
      else if (note.type === 'signals-sent') {
        for (const id of note.ids) {
          const at = ids.add(id)
          flags.set(at, flags.get(at) | SENT)
        }
      } else if (note.type === 'signals-acknowledged') for (const id of note.ids) acknowledge(id)
    },
    acknowledged: () => acknowledged,
    starts: () => starts,
    tally: () => createTally({ ids, flags, viewers, playbacks }),
  }
}

/** Events of viewers the storm knows nothing of are passed over: others may use the platform meanwhile. */
function createTally(sent: { ids: Ids; flags: Column; viewers: Ids; playbacks: Column }): Tally {
  const { ids, flags, viewers, playbacks } = sent
  const seen = createColumn((length) => new Uint8Array(length))
  const sessionsOf = createColumn((length) => new Uint32Array(length))
  let redelivered = 0
  let neverSent = 0

  /** The event's number when this is its first time on the log. */
  const meet = (id: string): number | null => {
    const at = ids.add(id)
    if (seen.get(at) === 1) {
      redelivered += 1
      return null
    }
    seen.set(at, 1)
    return at
  }

  return {
    take(event) {
      const isSession = event.type === 'tentpole.playback.started.v1'
      if (!isSession && event.type !== 'tentpole.playback.signal.v1') return
      const viewer = viewers.find(event.data.viewerId)
      const isOwn = viewer !== null || ids.find(event.id) !== null || ids.find(event.data.sessionId) !== null
      const at = isOwn ? meet(event.id) : null
      if (at === null) return
      if (!isSession) neverSent += (flags.get(at) & SENT) === 0 ? 1 : 0
      else if (viewer !== null) sessionsOf.set(viewer, sessionsOf.get(viewer) + 1)
    },
    lost() {
      let lost = 0
      for (let at = 0; at < ids.size(); at++) if ((flags.get(at) & ACKNOWLEDGED) !== 0 && seen.get(at) === 0) lost += 1
      return lost
    },
    doubled() {
      let doubled = neverSent
      for (let viewer = 0; viewer < viewers.size(); viewer++)
        doubled += Math.max(0, sessionsOf.get(viewer) - playbacks.get(viewer))
      return doubled
    },
    redelivered: () => redelivered,
  }
}

const RETRY_MS = 200
/** Records decoded before other work has its turn. */
const BATCH_RECORDS = 256

/**
 * Reads what the storm put on the log and compares. What is missing at the end is waited for, and a log that does not
 * answer is asked again, for `settleMs` each: it may be behind for a moment, or just back from a kill.
 */
export async function checkJournal(options: {
  journal: Journal
  log: LogPort
  settleMs: number
  clock?: Clock
}): Promise<JournalResult> {
  const { journal, log, settleMs, clock = systemClock } = options
  const never = new AbortController().signal
  const acknowledged = journal.acknowledged()
  const notChecked = (why: string): JournalResult => ({
    acknowledged,
    lost: 0,
    doubled: 0,
    redelivered: 0,
    notChecked: why,
  })
  const starts = journal.starts()
  if (!starts.ok) return notChecked(starts.why)
  const tally = journal.tally()
  const topics = TOPICS.map((topic) => createFollower({ log, topic, starts: starts.offsets[topic], take: tally.take }))
  let endSeenMs: number | null = null
  let troubleMs: number | null = null
  for (;;) {
    try {
      for (const readOn of topics) await readOn()
      troubleMs = null
      endSeenMs ??= clock.elapsedMs()
      if (tally.lost() === 0 || clock.elapsedMs() - endSeenMs >= settleMs) break
    } catch (error) {
      if (faultCode(error) === 'log-trimmed') return notChecked(describeError(error))
      troubleMs ??= clock.elapsedMs()
      if (clock.elapsedMs() - troubleMs >= settleMs)
        return notChecked(`the log could not be read: ${describeError(error)}`)
    }
    await pause(RETRY_MS, never)
  }
  const { lost, doubled, redelivered } = tally
  return { acknowledged, lost: lost(), doubled: doubled(), redelivered: redelivered(), notChecked: null }
}

/** Each call reads on to where the topic ends at that moment. Fault `log-trimmed` when what it had to read is gone. */
function createFollower(options: {
  log: LogPort
  topic: Topic
  starts: Offsets
  take: (event: CloudEvent) => void
}): () => Promise<void> {
  const { log, topic, starts, take } = options
  const next = new Map<number, number>()

  const readPartition = async (partition: number, end: number): Promise<void> => {
    let from = next.get(partition) ?? starts[partition] ?? 0
    while (from < end) {
      const batch = await readBatch({ log, topic, partition, from })
      if ((batch.records[0]?.offset ?? end) > from) await refuseTrimmed(log, topic, partition, from)
      for (const record of batch.records) {
        const event = decodeKnown(record)
        if (event) take(event)
      }
      // Kept batch by batch, so that trouble half way repeats nothing.
      from = batch.next ?? end
      next.set(partition, from)
      await otherWork()
    }
  }

  return async () => {
    for (const [partition, { end }] of Object.entries(await log.bounds(topic)))
      await readPartition(Number(partition), end)
  }
}

type Batch = { readonly records: Awaited<ReturnType<LogPort['read']>>; readonly next: number | null }

/** What is damaged is lost, and is passed over as a reader of the platform would. */
async function readBatch(at: { log: LogPort; topic: Topic; partition: number; from: number }): Promise<Batch> {
  try {
    const { topic, partition, from } = at
    const records = await at.log.read({ topic, partition, from, max: BATCH_RECORDS })
    const last = records.at(-1)
    return { records, next: last ? last.offset + 1 : null }
  } catch (error) {
    const to = error instanceof Fault && error.code === 'log-damaged' ? Number(error.detail['to']) : Number.NaN
    if (!(to > at.from)) throw error
    return { records: [], next: to }
  }
}

async function refuseTrimmed(log: LogPort, topic: Topic, partition: number, from: number): Promise<void> {
  const first = (await log.bounds(topic))[partition]?.first ?? 0
  if (first > from)
    throw new Fault(
      'log-trimmed',
      `topic ${topic}: expected the records from offset ${from} on, but the log begins at ${first}: the oldest were trimmed; raise limits.logRetentionBytes, or let the storm be shorter`,
    )
}

/** What no reader of the platform could understand counts as not there. */
function decodeKnown(record: { readonly value: Uint8Array }): CloudEvent | null {
  try {
    return decodeEvent(record)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

async function endsOf(log: LogPort, topic: Topic): Promise<Offsets> {
  const bounds = Object.entries(await log.bounds(topic))
  return Object.fromEntries(bounds.map(([partition, { end }]) => [Number(partition), end]))
}

function otherWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
