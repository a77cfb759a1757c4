import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import { Fault, faultCode } from '../../kernel/index.ts'
import { CLAIM_PREFIX, findRefs } from './claim.ts'
import type { PartitionEnd } from './decide-sweep.ts'

const RECORDS_PER_READ = 500

/** Every text in a record that looks like a reference: one too many keeps an object, one too few would lose one. */
export function findRecordRefs(record: Pick<LogRecord, 'headers' | 'value'>): readonly string[] {
  const refs = Object.values(record.headers).flatMap(findRefs)
  const { buffer, byteOffset, byteLength } = record.value
  const value = Buffer.from(buffer, byteOffset, byteLength)
  const at = value.indexOf(CLAIM_PREFIX)
  return at < 0 ? refs : [...refs, ...findRefs(value.toString('latin1', at))]
}

export async function readEnds(log: LogPort, topics: readonly string[]): Promise<readonly PartitionEnd[]> {
  const bounds = await Promise.all(topics.map((topic) => log.bounds(topic)))
  return topics.flatMap((topic, index) =>
    Object.entries(bounds[index] ?? {}).map(([partition, { end }]) => ({ topic, partition: Number(partition), end })),
  )
}

/**
 * Tells the references in one partition from `from` (null: its beginning) to before `to.end`. The answer is false when
 * some of its records could not be read, because they are trimmed or damaged.
 */
export async function searchPartition(
  log: LogPort,
  span: { readonly from: number | null; readonly to: PartitionEnd; readonly signal: AbortSignal },
  onRefs: (refs: readonly string[]) => Promise<void>,
): Promise<boolean> {
  const { from, to, signal } = span
  const { topic, partition, end } = to
  let next = from ?? 0
  let whole = true
  while (next < end) {
    if (signal.aborted) throw new Fault('closed', 'the search for references was broken off')
    const read = await readOn(log, { topic, partition, from: next })
    whole &&= read.whole
    const records = read.records.filter(({ offset }) => offset < end)
    const refs = [...new Set(records.flatMap(findRecordRefs))]
    if (refs.length > 0) await onRefs(refs)
    // An engine that has nothing where there should be something.
    if (read.next <= next) return false
    next = read.next
  }
  // After the reading, since records may be trimmed while it goes on.
  const first = (await log.bounds(topic))[partition]?.first ?? 0
  return whole && first <= (from ?? 0)
}

async function readOn(
  log: LogPort,
  at: { topic: string; partition: number; from: number },
): Promise<{ records: readonly LogRecord[]; next: number; whole: boolean }> {
  try {
    const records = await log.read({ ...at, max: RECORDS_PER_READ })
    return { records, next: (records.at(-1)?.offset ?? at.from - 1) + 1, whole: true }
  } catch (error) {
    const to = error instanceof Fault && faultCode(error) === 'log-damaged' ? Number(error.detail['to']) : Number.NaN
    if (!(to > at.from)) throw error
    return { records: [], next: to, whole: false }
  }
}
