import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { faultCode } from '../../kernel/index.ts'
import { listArchives } from './catalog.ts'
import { openArchive } from './open.ts'

/**
 * An offset at or before the first record that was appended at `atMs` or later. By halving, as times rise with offsets but
 * for the clocks' differences, which the caller takes off `atMs`. What cannot be read counts as late enough: the answer is then
 * earlier than need be, never later.
 */
export async function findPosition(
  { log, objects }: { log: Pick<LogPort, 'read' | 'bounds'>; objects: ObjectsPort },
  { topic, partition, atMs }: { topic: string; partition: number; atMs: number },
): Promise<number> {
  const { first, end } = (await log.bounds(topic))[partition] ?? { first: 0, end: 0 }
  const archived = (await listArchives(objects, { topic, partition })).filter((range) => range.first < first)
  const object = await findFirst(0, archived.length, async (index) => {
    const range = archived[index]
    const summary = range && (await openArchive(objects, range)).summary
    return !summary || summary.latestMs >= atMs
  })
  const range = archived[object]
  if (range) return range.first
  return findFirst(first, end, async (offset) => {
    try {
      const [record] = await log.read({ topic, partition, from: offset, max: 1 })
      return !record || record.appendedAtMs >= atMs
    } catch (error) {
      if (faultCode(error) !== 'log-damaged') throw error
      return true
    }
  })
}

/** The first of `from` to before `to` for which it holds, or `to`. What holds for one is taken to hold for those behind it. */
async function findFirst(from: number, to: number, holds: (at: number) => Promise<boolean>): Promise<number> {
  let low = from
  let high = to
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
