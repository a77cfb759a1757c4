import type { LogRecord } from '../../engines/log/index.ts'

type Head = {
  readonly batches: AsyncGenerator<readonly LogRecord[]>
  records: readonly LogRecord[]
  at: number
}

/** Records of several partitions in the order of their time, each partition's in its own order. One batch of each is in memory. */
export async function* mergeByTime(
  sources: readonly AsyncGenerator<readonly LogRecord[]>[],
): AsyncGenerator<LogRecord> {
  const heads: Head[] = []
  try {
    for (const batches of sources) heads.push({ batches, records: [], at: 0 })
    for (const head of [...heads]) await fill(head, heads)
    while (heads.length > 0) {
      const head = heads.reduce((a, b) => (timeOf(b) < timeOf(a) ? b : a))
      const record = head.records[head.at]
      head.at += 1
      if (record) yield record
      if (head.at >= head.records.length) await fill(head, heads)
    }
  } finally {
    for (const { batches } of heads) await batches.return(undefined)
  }
}

const timeOf = ({ records, at }: Head): number => records[at]?.appendedAtMs ?? 0

/** Takes the next batch, or the head out when there is none. */
async function fill(head: Head, heads: Head[]): Promise<void> {
  head.at = 0
  do {
    const { done, value } = await head.batches.next()
    head.records = done ? [] : value
    if (done) heads.splice(heads.indexOf(head), 1)
    if (done) return
  } while (head.records.length === 0)
}
