import type { Limits } from '../../../kernel/index.ts'

/** Connections that streams go over, counted until they are gone, so that readers who stand still do not add up. */
export type OpenStreams = {
  /** Null when it or all have as many as they may; else how to leave, to be called any number of times. */
  enter(owner: string | null): (() => void) | null
  count(): number
}

export function createOpenStreams(limits: Pick<Limits, 'hubStreamsMax' | 'hubSpokeStreamsMax'>): OpenStreams {
  const open = new Map<object, string | null>()
  const ofOwner = (owner: string): number => [...open.values()].filter((each) => each === owner).length
  return {
    enter(owner) {
      if (open.size >= limits.hubStreamsMax) return null
      if (owner !== null && ofOwner(owner) >= limits.hubSpokeStreamsMax) return null
      const stream = {}
      open.set(stream, owner)
      return () => void open.delete(stream)
    },
    count: () => open.size,
  }
}
