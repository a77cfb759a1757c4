import type { ObjectsPort } from '../../engines/objects/index.ts'
import { type ArchiveRange, archivePrefix, parseArchiveKey } from './key.ts'

/** A directory is read whole for each page of it. */
const PAGE = 20_000

/** The oldest archive object of a partition. */
export async function findOldestArchive(
  objects: ObjectsPort,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<ArchiveRange | null> {
  const prefix = archivePrefix(topic, partition)
  for (let after = ''; ; ) {
    const [key] = await objects.list(prefix, { after, max: 1 })
    if (key === undefined) return null
    const range = parseArchiveKey(key)
    if (range) return range
    after = key
  }
}

/** The archive objects of a partition, in order, by their keys alone. */
export async function listArchives(
  objects: ObjectsPort,
  partition: { readonly topic: string; readonly partition: number },
): Promise<ArchiveRange[]> {
  const prefix = archivePrefix(partition.topic, partition.partition)
  const ranges: ArchiveRange[] = []
  let after = ''
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
