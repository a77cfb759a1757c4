import { readFileSync } from 'node:fs'
import type { LogPort } from '../src/engines/log/index.ts'

const TOPIC = 'sessions'
const READ_MAX = 5_000

/** The acknowledged sessions of a journal that are not on the log. */
export async function findLostSessions(
  log: LogPort,
  journalFile: string,
): Promise<{ acknowledged: number; lost: string[] }> {
  const wanted = new Set(readFileSync(journalFile, 'latin1').split('\n').filter(Boolean))
  const acknowledged = wanted.size
  for (const [partition, { first, end }] of Object.entries(await log.bounds(TOPIC))) {
    let from = first
    while (from < end) {
      const records = await log.read({ topic: TOPIC, partition: Number(partition), from, max: READ_MAX })
      for (const record of records) wanted.delete(record.key)
      const last = records.at(-1)
      if (!last) break
      from = last.offset + 1
    }
  }
  return { acknowledged, lost: [...wanted] }
}
