import { createHash } from 'node:crypto'

/** The next offset to be applied, per topic and partition. */
export type Positions = Readonly<Record<string, PartitionOffsets>>
export type PartitionOffsets = Readonly<Record<number, number>>

/** Every partition with its offset, in an order that depends on nothing else. */
function entriesOf(positions: Positions): [string, number, number][] {
  return Object.entries(positions)
    .flatMap(([topic, offsets]) =>
      Object.entries(offsets).map(([partition, next]): [string, number, number] => [topic, Number(partition), next]),
    )
    .sort(([topicA, a], [topicB, b]) => (topicA === topicB ? a - b : topicA < topicB ? -1 : 1))
}

/** Equal for equal positions: 16 hex digits. */
export function digestPositions(positions: Positions): string {
  return createHash('sha256')
    .update(JSON.stringify(entriesOf(positions)))
    .digest('hex')
    .slice(0, 16)
}

/** Whether `ahead` has come at least as far as `behind` everywhere. */
export function hasReached(ahead: Positions, behind: Positions): boolean {
  return entriesOf(behind).every(([topic, partition, next]) => (ahead[topic]?.[partition] ?? 0) >= next)
}

/** Where positions go further than the log does, for people; null where they do not. */
export function findAhead(positions: Positions, ends: Positions): string | null {
  for (const [topic, partition, next] of entriesOf(positions)) {
    const end = ends[topic]?.[partition] ?? 0
    if (next > end) return `it goes to offset ${next} of topic ${topic}, partition ${partition}, the log only to ${end}`
  }
  return null
}
