import { readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, Fault, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import { type Groups, openGroups } from './groups.ts'
import { lockDirectory } from './lock.ts'
import { createMemberships } from './memberships.ts'
import type { LogPort } from './port.ts'
import { createTopicSubscription, type TopicSubscription } from './subscription.ts'
import { createTopic, type LogDamage, openTopic, type Topic, type TopicOptions } from './topic.ts'

const HEARTBEAT_MS = 500
const TOPIC_NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/

export type EmbeddedLogLimits = Pick<
  Limits,
  | 'logBatchBytesMax'
  | 'logRecordBytesMax'
  | 'logGroupCommitMs'
  | 'logSegmentBytes'
  | 'logAppendTimeoutMs'
  | 'logRetentionBytes'
>

export type EmbeddedLogOptions = {
  readonly directory: string
  readonly limits: EmbeddedLogLimits
  readonly logger: Logger
  /** Topics that lose their oldest segments beyond `logRetentionBytes` each; the others are kept whole. */
  readonly trimmedTopics: readonly string[]
  readonly clock?: Clock
}

/** A log in this process. `damage` lists the records known to be lost. */
export type EmbeddedLog = LogPort & { damage(): readonly LogDamage[] }

type OpenTopic = {
  readonly topic: Topic
  readonly commits: GroupCommit
  readonly subscriptions: Set<TopicSubscription>
}

/**
 * Opens the log in `directory`, which this process then owns (`log-locked` otherwise): recovers every topic, cuts
 * appends that never finished, reports damage. One partition per topic; a topic begins to exist with its first append.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { directory, limits, logger, trimmedTopics, clock = systemClock } = options
  const topicsDirectory = join(directory, 'topics')
  const unlock = lockDirectory(directory)
  const optionsOf = (name: string): TopicOptions => ({
    directory: join(topicsDirectory, name),
    name,
    limits,
    retentionBytes: trimmedTopics.includes(name) ? limits.logRetentionBytes : null,
    clock,
    logger,
  })
  try {
    await mkdir(topicsDirectory, { recursive: true, mode: 0o700 })
    const groups = await openGroups({ directory, limits, clock, logger })
    const names = readdirSync(topicsDirectory).filter((name) => TOPIC_NAME.test(name))
    const topics = await Promise.all(names.map((name) => openTopic(optionsOf(name))))
    const create = (name: string): Topic => createTopic(optionsOf(name))
    const log = createEmbeddedLog({ limits, logger, clock, groups, topics, create, unlock })
    for (const topic of topics)
      await topic.skipTo(groups.highest(topic.name), 'a group committed offsets that are not there any more')
    return log
  } catch (error) {
    unlock()
    throw error
  }
}

function createEmbeddedLog(parts: {
  limits: EmbeddedLogLimits
  logger: Logger
  clock: Clock
  groups: Groups
  topics: readonly Topic[]
  create: (name: string) => Topic
  unlock: () => void
}): EmbeddedLog {
  const { limits, logger, clock, groups, create, unlock } = parts
  const memberships = createMemberships()
  const topics = new Map<string, OpenTopic>()
  let closed = false

  const add = (topic: Topic): OpenTopic => {
    const subscriptions = new Set<TopicSubscription>()
    const onEnd = (): void => {
      for (const subscription of subscriptions) subscription.wake()
    }
    const opened = { topic, commits: createGroupCommit({ topic, limits, clock, onEnd }), subscriptions }
    topics.set(topic.name, opened)
    return opened
  }
  const find = (name: string): OpenTopic => {
    const known = topics.get(name)
    if (known) return known
    if (closed) throw new Fault('log-unavailable', 'the log is closed')
    if (!TOPIC_NAME.test(name))
      throw new Fault(
        'topic-invalid',
        `expected a topic name of 1 to 100 characters a-z 0-9 . _ -, got ${JSON.stringify(name)}`,
      )
    return add(create(name))
  }
  for (const topic of parts.topics) add(topic)
  const heartbeat = setInterval(() => {
    for (const { subscriptions } of topics.values()) for (const subscription of subscriptions) subscription.beat()
  }, HEARTBEAT_MS)

  return {
    append: async (name, records) => find(name).commits.append(records),
    async read({ topic: name, partition = 0, from, max }) {
      if (partition !== 0) return []
      const { records, lost } = await find(name).topic.read(from, { max, bytesMax: limits.logBatchBytesMax })
      if (lost)
        throw new Fault(
          'log-damaged',
          `topic ${name}: the records from offset ${lost.from} to before ${lost.to} are damaged and lost; go on at ${lost.to}`,
          { detail: { topic: name, partition, ...lost } },
        )
      return records
    },
    subscribe(subscribeOptions) {
      const { topic, subscriptions } = find(subscribeOptions.topic)
      const onClose = (): void => void subscriptions.delete(subscription)
      const all = { topic, groups, memberships, limits, clock, logger, onClose }
      const subscription = createTopicSubscription(subscribeOptions, all)
      subscriptions.add(subscription)
      return subscription
    },
    async commit({ group, topic: name, partition, offset }) {
      const { topic } = find(name)
      if (partition !== 0 || !Number.isSafeInteger(offset) || offset < 0 || offset > topic.end())
        throw new Fault(
          'commit-invalid',
          `topic ${name}, group ${group}: expected partition 0 and an offset from 0 to ${topic.end()}, got partition ${partition}, offset ${offset}`,
        )
      await groups.commit(name, group, offset)
    },
    async bounds(name) {
      const { topic } = find(name)
      return { 0: { first: topic.first(), end: topic.end() } }
    },
    async trim({ topic: name, partition, before }) {
      const { topic } = find(name)
      if (partition !== 0 || !Number.isSafeInteger(before) || before < 0 || before > topic.end())
        throw new Fault(
          'trim-invalid',
          `topic ${name}: expected partition 0 and an offset from 0 to ${topic.end()}, got partition ${partition}, offset ${before}`,
        )
      await topic.dropBefore(before)
    },
    damage: () => [...topics.values()].flatMap(({ topic }) => topic.damage()),
    async close() {
      if (closed) return
      closed = true
      clearInterval(heartbeat)
      const all = [...topics.values()]
      for (const { subscriptions } of all) for (const one of [...subscriptions]) await one.close()
      for (const { commits } of all) await commits.close()
      for (const { topic } of all) await topic.close()
      await groups.close()
      unlock()
    },
  }
}
