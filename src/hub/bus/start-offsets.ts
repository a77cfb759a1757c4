import type { SubscriptionStart } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { Fault, faultCode } from '../../kernel/index.ts'

export type StartOffset = { readonly topic: string; readonly partition: number; readonly offset: number }

/** What the archive knows of topics whose beginning the log has forgotten. */
export type PastBounds = {
  bounds(topic: string): Promise<Readonly<Record<number, { readonly first: number; readonly end: number }>>>
  /** An offset at or before the first record that was appended at `atMs` or later. */
  positionAt(options: { topic: string; partition: number; atMs: number }): Promise<number>
}

/** Where a new subscription begins in each partition of the topics; a time that only the archive goes back to may be met a little early. */
export async function findStartOffsets(
  { log, past }: { readonly log: LogPort; readonly past: PastBounds | null },
  topics: readonly string[],
  start: SubscriptionStart,
): Promise<readonly StartOffset[]> {
  const perTopic = topics.map(async (topic) => {
    const bounds = Object.entries(await log.bounds(topic))
    return Promise.all(
      bounds.map(async ([partition, { first, end }]): Promise<StartOffset> => {
        const at = { topic, partition: Number(partition) }
        if (start === 'now') return { ...at, offset: end }
        const oldest = (await past?.bounds(topic))?.[at.partition]?.first ?? first
        if (start === 'beginning') return { ...at, offset: Math.min(oldest, first) }
        const { sinceMs } = start
        const offset = await findSince(log, { ...at, first, end, sinceMs })
        if (offset > first || oldest >= first || !past) return { ...at, offset }
        return { ...at, offset: Math.min(offset, await past.positionAt({ ...at, atMs: sinceMs })) }
      }),
    )
  })
  return (await Promise.all(perTopic)).flat()
}

/** The first offset appended at `sinceMs` or later, by halves: records lie in the order of their time, clocks permitting. */
async function findSince(
  log: LogPort,
  options: { topic: string; partition: number; first: number; end: number; sinceMs: number },
): Promise<number> {
  const { topic, partition, sinceMs } = options
  let low = options.first
  let high = options.end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const found = await readOne(log, { topic, partition, from: middle })
    if (found !== null && found.offset < high && found.appendedAtMs < sinceMs) low = found.offset + 1
    else high = middle
  }
  return low
}

/** The record at an offset or the next after it, past what is damaged. */
async function readOne(
  log: LogPort,
  at: { topic: string; partition: number; from: number },
): Promise<{ offset: number; appendedAtMs: number } | null> {
  try {
    return (await log.read({ ...at, max: 1 }))[0] ?? null
  } catch (error) {
    const next = lostUntil(error)
    if (next === null) throw error
    return readOne(log, { ...at, from: next })
  }
}

/** Of a `log-damaged` fault: where to go on; null for anything else. */
export function lostUntil(error: unknown): number | null {
  if (!(error instanceof Fault) || faultCode(error) !== 'log-damaged') return null
  const to = error.detail['to']
  return typeof to === 'number' ? to : null
}
