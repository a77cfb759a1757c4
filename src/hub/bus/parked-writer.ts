import type { Statement } from '../../engines/tables/index.ts'
import { type Clock, createQueue, describeError, type Limits, type Logger, pause } from '../../kernel/index.ts'
import { OUTBOX_CHANNEL, outboxStatements } from '../outbox.ts'
import { insertLetterStatement, type LetterToAdd, toAnnouncements } from './dead-letters/rows.ts'
import type { Fence } from './fence.ts'
import type { Item } from './item.ts'
import { insertStatement, type ParkedRow, removeStatements, retryStatement } from './parked-rows.ts'

/** A change of what one subscription has parked. */
export type ParkedChange =
  | { readonly kind: 'insert'; readonly row: ParkedRow; readonly nextAtMs: number }
  | { readonly kind: 'retry'; readonly row: RetriedRow; readonly nextAtMs: number }
  | { readonly kind: 'remove'; readonly item: Pick<Item, 'deliveryId' | 'key'> }
  /** The dead letter instead of the row, if there is one, and said on the log. */
  | { readonly kind: 'dead'; readonly letter: LetterToAdd; readonly item: Pick<Item, 'deliveryId' | 'key'> }
  /** Something else that must not meet a change half-way. */
  | { readonly kind: 'look'; readonly look: () => Promise<void> }
type RetriedRow = Pick<ParkedRow, 'deliveryId' | 'attempts' | 'firstFailedAtMs' | 'reason'>

/** Writes the changes of one subscription, in order, those that come together in one batch. */
export type ParkedWriter = {
  /** `onWritten` when it is durable: false when an insert or a death was there already. */
  write(change: ParkedChange, onWritten: (isNew: boolean) => void): void
  /** Resolves when all is written, or after `timeoutMs`. What is not written then never is, and its callers never hear of it. */
  close(timeoutMs: number): Promise<void>
}

type Waiting = { readonly change: ParkedChange; readonly onWritten: (isNew: boolean) => void }

const RETRY_MIN_MS = 20
const RETRY_MAX_MS = 2_000

export function createParkedWriter(options: {
  subscription: string
  fence: Fence
  limits: Pick<Limits, 'hubParkedWritesMax'>
  clock: Clock
  logger: Logger
}): ParkedWriter {
  const { subscription, fence, limits, clock, logger } = options
  const queue = createQueue<Waiting>()
  const closing = new AbortController()
  let running: Promise<void> | null = null

  /** Neighbours that go into one batch; a death and a look go alone. */
  const nextRun = (): readonly Waiting[] => {
    const run: Waiting[] = []
    for (let first = queue.first(); first && run.length < limits.hubParkedWritesMax; first = queue.first()) {
      const isAlone = first.change.kind === 'dead' || first.change.kind === 'look'
      if (isAlone && run.length > 0) break
      run.push(first)
      queue.shift()
      if (isAlone) break
    }
    return run
  }
  const toStatements = (change: ParkedChange): readonly Statement[] => {
    if (change.kind === 'insert') return [insertStatement(subscription, change.row, change.nextAtMs)]
    if (change.kind === 'retry') return [retryStatement(subscription, change.row, change.nextAtMs)]
    if (change.kind === 'look') return []
    return removeStatements(subscription, change.item, clock.nowMs())
  }
  /** What became of each of the changes; null when the lease is lost. */
  const perform = async (changes: readonly ParkedChange[]): Promise<readonly boolean[] | null> => {
    const [first] = changes
    if (first?.kind === 'look') {
      await first.look()
      return [true]
    }
    const perChange = changes.map(toStatements)
    if (first?.kind !== 'dead') {
      const results = await fence.batch(perChange.flat())
      if (results === 'lost' || !results.ok) return null
      let at = 0
      return perChange.map((statements) => {
        const isNew = results.results[at]?.changes !== 0
        at += statements.length
        return isNew
      })
    }
    const letter = insertLetterStatement(first.letter, clock.nowMs())
    const announced = outboxStatements(toAnnouncements(first.letter))
    const added = await fence.batch([letter, ...toStatements(first), ...announced], [OUTBOX_CHANNEL])
    if (added === 'lost') return null
    if (added.ok) return [true]
    // It was there already: died before a crash and was delivered again after it.
    return (await fence.batch(toStatements(first))) === 'lost' ? null : [false]
  }
  const persist = async (run: readonly Waiting[]): Promise<void> => {
    for (let waitMs = RETRY_MIN_MS; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        const results = await perform(run.map(({ change }) => change))
        if (results && !closing.signal.aborted)
          for (const [index, { onWritten }] of run.entries()) onWritten(results[index] ?? true)
        return
      } catch (error) {
        logger.warn('parked events cannot be written; it is tried again', { error: describeError(error) })
        await pause(waitMs, closing.signal)
      }
    }
  }
  const drain = async (): Promise<void> => {
    while (queue.size() > 0 && !closing.signal.aborted) await persist(nextRun())
  }
  const start = (): void => {
    running ??= drain().finally(() => {
      running = null
      if (queue.size() > 0 && !closing.signal.aborted) start()
    })
  }

  return {
    write(change, onWritten) {
      if (closing.signal.aborted) return
      queue.push({ change, onWritten })
      start()
    },
    async close(timeoutMs) {
      const timeout = pause(timeoutMs, closing.signal)
      while (running !== null && !closing.signal.aborted) {
        const isDone = await Promise.race([running.then(() => true), timeout.then(() => false)])
        if (!isDone) break
      }
      closing.abort()
      await running
    },
  }
}
