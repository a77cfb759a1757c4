/** What an archive object holds: records of one partition from offset `first` to before `end`. */
export type ArchiveRange = {
  readonly topic: string
  readonly partition: number
  readonly first: number
  readonly end: number
}

const KEY = /^archive\/([a-z0-9][a-z0-9._-]{0,99})\/(\d{1,9})\/(\d{16})-(\d{16})$/
const digits = (offset: number): string => String(offset).padStart(16, '0')

/** All of a partition's objects begin with it; their keys sort as their offsets do. */
export const archivePrefix = (topic: string, partition: number): string => `archive/${topic}/${partition}/`

export function toArchiveKey({ topic, partition, first, end }: ArchiveRange): string {
  return `${archivePrefix(topic, partition)}${digits(first)}-${digits(end)}`
}

/** Null for what is no archive object. */
export function parseArchiveKey(key: string): ArchiveRange | null {
  const [, topic, partition, first, end] = KEY.exec(key) ?? []
  if (topic === undefined || Number(first) >= Number(end)) return null
  return { topic, partition: Number(partition), first: Number(first), end: Number(end) }
}
