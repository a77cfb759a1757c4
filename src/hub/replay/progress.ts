/** Where a replay is in each partition: `{ 'titles:0': 17 }`, the lowest offset that is not settled. */
export type ReplayPosition = Readonly<Record<string, number>>

/** Counts offsets in and out, in any order out. Bounded by what its user has under way. */
export type Progress = {
  begin(partition: string, offset: number): void
  settle(partition: string, offset: number): void
  position(): ReplayPosition
}

type Source = { next: number; readonly open: Set<number> }

export function createProgress(start: ReplayPosition): Progress {
  const sources = new Map<string, Source>()
  for (const [partition, next] of Object.entries(start)) sources.set(partition, { next, open: new Set() })

  return {
    begin(partition, offset) {
      const source = sources.get(partition) ?? { next: offset, open: new Set() }
      sources.set(partition, source)
      source.open.add(offset)
      source.next = offset + 1
    },
    settle(partition, offset) {
      sources.get(partition)?.open.delete(offset)
    },
    position() {
      const all = [...sources].map(([partition, { next, open }]) => {
        // They went in rising, and a set keeps that order.
        const [lowest = next] = open
        return [partition, lowest] as const
      })
      return Object.fromEntries(all)
    },
  }
}
