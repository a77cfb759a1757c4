import type { ObjectsPort } from '../../engines/objects/index.ts'
import { type ArchiveRange, archivePrefix, parseArchiveKey } from './key.ts'

const PAGE = 1_000

/** The archive objects of a partition, in order, by their keys alone. `after` leaves out what was known already. */
export async function listArchives(
  objects: ObjectsPort,
  partition: { readonly topic: string; readonly partition: number; readonly after?: string },
): Promise<ArchiveRange[]> {
  const prefix = archivePrefix(partition.topic, partition.partition)
  const ranges: ArchiveRange[] = []
  let after = partition.after ?? ''
  for (;;) {
    const keys = await objects.list(prefix, { after, max: PAGE })
    for (const key of keys) {
      const range = parseArchiveKey(key)
      if (range) ranges.push(range)
    }
    const last = keys.at(-1)
    if (last === undefined || keys.length < PAGE) return ranges
    after = last
  }
}
