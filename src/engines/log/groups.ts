import { join } from 'node:path'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import { createGroupCommit, type GroupCommitLimits } from './group-commit.ts'
import { openTopic } from './topic.ts'

/** Committed offsets are few and small: a segment holds tens of thousands of commits. */
const SEGMENT_BYTES = 1024 * 1024
const READ = { max: 10_000, bytesMax: SEGMENT_BYTES }

/**
 * Where each group goes on. Kept as a log of its own in the log's record format, so that it has the same checksums,
 * recovery and group commit; replaying it gives the newest commit of each group, and a full segment is replaced by one
 * that begins with all of them. A damaged commit costs a redelivery, nothing else.
 */
export type Groups = {
  /** The next offset `group` is to handle in `topic`; null when it never committed. */
  committed(topic: string, group: string): number | null
  commit(topic: string, group: string, offset: number): Promise<void>
  /** The highest committed offset of `topic` in any group, or 0. */
  highest(topic: string): number
  topics(): readonly string[]
  close(): Promise<void>
}

export async function openGroups(options: {
  directory: string
  limits: GroupCommitLimits & Pick<Limits, 'logSegmentBytes'>
  clock: Clock
  logger: Logger
}): Promise<Groups> {
  const { limits, clock, logger } = options
  const segmentBytes = Math.min(SEGMENT_BYTES, limits.logSegmentBytes)
  const topic = await openTopic({
    directory: join(options.directory, 'groups'),
    name: 'groups',
    limits: { logSegmentBytes: segmentBytes, logBatchBytesMax: limits.logBatchBytesMax },
    retentionBytes: null,
    clock,
    logger,
  })
  const commits = createGroupCommit({ topic, limits, clock, onEnd: () => {} })
  /** Durable. */
  const committed = new Map<string, number>()
  /** Asked for last, durable or about to be: what a new segment begins with must not be older than what it replaces. */
  const latest = new Map<string, number>()
  let compacting = false

  const toRecord = ([key, offset]: readonly [string, number]) => ({ key, value: Buffer.from(String(offset)) })

  const replay = async (): Promise<void> => {
    let at = topic.first()
    while (at < topic.end()) {
      const { records, next } = await topic.read(at, READ)
      for (const { key, value } of records) committed.set(key, Number(Buffer.from(value).toString()))
      at = next
    }
    for (const [key, offset] of committed) latest.set(key, offset)
  }

  const compact = async (): Promise<void> => {
    if (compacting || topic.segments() < 2) return
    compacting = true
    try {
      const [first] = await commits.append([...latest].map(toRecord))
      if (first !== undefined) await topic.dropBefore(first)
    } catch {
      // No room for it now; the next commit tries again, and the old segments are still there.
    } finally {
      compacting = false
    }
  }

  await replay()

  return {
    committed: (name, group) => committed.get(toKey(name, group)) ?? null,
    async commit(name, group, offset) {
      const key = toKey(name, group)
      latest.set(key, offset)
      await commits.append([toRecord([key, offset])])
      committed.set(key, offset)
      await compact()
    },
    highest: (name) =>
      Math.max(0, ...[...committed].flatMap(([key, offset]) => (topicOf(key) === name ? [offset] : []))),
    topics: () => [...new Set([...committed.keys()].map(topicOf))],
    async close() {
      await commits.close()
      await topic.close()
    },
  }
}

const toKey = (topic: string, group: string): string => `${topic} ${group}`
const topicOf = (key: string): string => key.slice(0, key.indexOf(' '))
