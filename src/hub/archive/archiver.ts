import type { Statement } from '../../engines/tables/index.ts'
import { createId, describeError, Fault, faultCode, systemClock } from '../../kernel/index.ts'
import { createLease } from '../lease.ts'
import { createWaker } from '../waker.ts'
import type { ArchiverOptions } from './archiver-options.ts'
import { createTrack, type Track } from './track.ts'

export type Archiver = {
  /** Looks now instead of at the next poll. */
  poke(): void
  /** Whether this process is the one that archives at present. */
  holds(): boolean
  close(): Promise<void>
}

/**
 * Rolls the tails of topics into objects. One process at a time does, under a lease. Where an object ends is in `tables`
 * before it is made: whoever goes on after a crash makes the very same, so no two objects ever overlap, and of two archivers
 * that both believe to hold the lease one's create wins. The log is trimmed only of what was read back from an object.
 */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { tables, limits, logger, clock = systemClock } = options
  const lease = createLease({
    tables,
    name: 'archive',
    owner: `${options.owner} ${createId()}`,
    leaseMs: limits.hubArchiveLeaseMs,
    clock,
  })
  const waker = createWaker()
  const complaints = new Map<string, string>()
  let tracks = new Map<string, Track>()
  let closed = false

  const stayHolder = async (): Promise<void> => {
    if (closed || !(await lease.hold()))
      throw new Fault('lease-lost', 'another archiver goes on from here, or this one is closing')
  }
  const commit = async (statements: readonly Statement[]): Promise<void> => {
    const sentAtMs = clock.elapsedMs()
    const done = await tables.batch([lease.fenceStatement(), ...statements])
    lease.fenced(sentAtMs, done.ok)
    if (!done.ok) throw new Fault('lease-lost', 'another archiver has gone on from here')
  }
  /** The same trouble is told once. */
  const complain = (what: string, error: unknown): void => {
    const reason = error === null ? '' : describeError(error)
    if (reason !== '' && complaints.get(what) !== reason && faultCode(error) !== 'lease-lost')
      logger.warn('a topic could not be archived for now; it is tried again', { topic: what, error: reason })
    complaints.set(what, reason)
  }

  const archiveTopic = async (topic: string): Promise<void> => {
    for (const name of Object.keys(await options.log.bounds(topic))) {
      const key = `${topic}:${name}`
      const track = tracks.get(key) ?? createTrack({ topic, partition: Number(name) }, options, { stayHolder, commit })
      tracks.set(key, track)
      while (!closed && (await track.step())) await stayHolder()
    }
  }
  const round = async (): Promise<void> => {
    for (const topic of options.topics) {
      if (closed) return
      try {
        if (!(await lease.hold())) {
          tracks = new Map()
          return
        }
        await archiveTopic(topic)
        complain(topic, null)
      } catch (error) {
        // What was known of it may have been another's to change; of all of them when another goes on.
        for (const key of [...tracks.keys()])
          if (faultCode(error) === 'lease-lost' || key.startsWith(`${topic}:`)) tracks.delete(key)
        complain(topic, error)
      }
    }
  }
  const run = async (): Promise<void> => {
    while (!closed) {
      await round()
      if (!closed) await waker.wait(limits.hubArchivePollMs)
    }
  }
  const running = run()

  return {
    poke: waker.wake,
    holds: () => lease.validForMs() > 0,
    async close() {
      closed = true
      waker.wake()
      await running
      await lease.release().catch((error: unknown) => {
        logger.debug('the archive lease was not given up; it runs out by itself', { error: describeError(error) })
      })
    },
  }
}
