import type { Entry } from '../memory/index.ts'
import type { ChunkStore } from '../origin/index.ts'
import type { SliceStore } from './fill-slices.ts'

/** A body, or a part of one, on its way into an entry. Positions are those in the whole. */
export type Fill = {
  /** Under which the fetch that brings it can be joined and followed. */
  readonly key: string
  readonly fromByte: number
  /** Null while it is not known where it ends. */
  readonly endByte: number | null
  readonly isWhole: boolean
  readonly store: SliceStore
  /** Where what is fetched is given in. */
  readonly intake: ChunkStore
}

/** What is on its way into which entry. */
export type Fills<Meta> = {
  begin(entry: Entry<Meta>, fill: Fill): void
  end(entry: Entry<Meta>, fill: Fill): void
  /** The one that brings this byte. */
  at(entry: Entry<Meta>, byte: number): Fill | null
  whole(entry: Entry<Meta>): Fill | null
}

export function createFills<Meta>(): Fills<Meta> {
  const byEntry = new WeakMap<Entry<Meta>, Set<Fill>>()
  const find = (entry: Entry<Meta>, fits: (fill: Fill) => boolean): Fill | null => {
    for (const fill of byEntry.get(entry) ?? []) if (fits(fill)) return fill
    return null
  }
  return {
    begin(entry, fill) {
      const known = byEntry.get(entry)
      if (known) known.add(fill)
      else byEntry.set(entry, new Set([fill]))
    },
    end(entry, fill) {
      const known = byEntry.get(entry)
      known?.delete(fill)
      if (known?.size === 0) byEntry.delete(entry)
    },
    at: (entry, byte) =>
      find(entry, ({ fromByte, endByte }) => byte >= fromByte && (endByte === null || byte < endByte)),
    whole: (entry) => find(entry, ({ isWhole }) => isWhole),
  }
}
