import type { Statement } from '../../engines/tables/index.ts'
import { type Clock, createQueue, describeError, type Limits, type Logger, pause } from '../../kernel/index.ts'
import { OUTBOX_CHANNEL, outboxStatements } from '../outbox.ts'
import { insertLetterStatement, type LetterToAdd, toAnnouncements } from './dead-letters/rows.ts'
import type { Fence } from './fence.ts'
import type { Item } from './item.ts'
import { insertStatement, type ParkedOf, type ParkedRow, removeStatements, retryStatement } from './parked-rows.ts'

/** A change of what one subscription has parked. */
export type ParkedChange =
  | { readonly kind: 'insert'; readonly row: ParkedRow; readonly nextAtMs: number }
  | { readonly kind: 'retry'; readonly row: RetriedRow; readonly nextAtMs: number }
  | { readonly kind: 'remove'; readonly item: Pick<Item, 'deliveryId' | 'key'> }
  | Death
  /** Something else that must not meet a change half-way. */
  | { readonly kind: 'look'; readonly look: () => Promise<void> }
/** The dead letter instead of the row, if there is one, and said on the log. */
type Death = { readonly kind: 'dead'; readonly letter: LetterToAdd; readonly item: Pick<Item, 'deliveryId' | 'key'> }
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
  of: ParkedOf
  fence: Fence
  /**
   * Counts what there is, and has `tell` called before it goes by that: after a failure nobody knows which of the changes were
   * there already and which came of the try whose answer was lost.
   */
  recount: (tell: () => void) => Promise<void>
  limits: Pick<Limits, 'hubParkedWritesMax'>
  clock: Clock
  logger: Logger
}): ParkedWriter {
  const { of, fence, recount, limits, clock, logger } = options
  const queue = createQueue<Waiting>()
  const closing = new AbortController()
  let running: Promise<void> | null = null

  /** Neighbours that go into one batch: deaths apart from other changes, a look alone. */
  const nextRun = (): readonly Waiting[] => {
    const run: Waiting[] = []
    for (let first = queue.first(); first && run.length < limits.hubParkedWritesMax; first = queue.first()) {
      const { kind } = first.change
      const before = run[0]?.change.kind ?? kind
      if (run.length > 0 && (kind === 'look' || (kind === 'dead') !== (before === 'dead'))) break
      run.push(first)
      queue.shift()
      if (kind === 'look') break
    }
    return run
  }
  const toStatements = (change: ParkedChange): readonly Statement[] => {
    if (change.kind === 'insert') return [insertStatement(of, change.row, change.nextAtMs)]
    if (change.kind === 'retry') return [retryStatement(of, change.row, change.nextAtMs)]
    if (change.kind === 'look') return []
    return removeStatements(of, change.item, clock.nowMs())
  }
  /** What became of each of the changes; null when the lease is lost. */
  const perform = async (changes: readonly ParkedChange[]): Promise<readonly boolean[] | null> => {
    const [first] = changes
    if (first?.kind === 'look') {
      await first.look()
      return [true]
    }
    const deaths = changes.filter((change) => change.kind === 'dead')
    if (deaths.length > 0) return bury(deaths)
    const perChange = changes.map(toStatements)
    const results = await fence.batch(perChange.flat())
    if (results === 'lost' || !results.ok) return null
    let at = 0
    return perChange.map((statements) => {
      const isNew = results.results[at]?.changes !== 0
      at += statements.length
      return isNew
    })
  }
  const bury = async (deaths: readonly Death[]): Promise<readonly boolean[] | null> => {
    const statements = deaths.flatMap((death) => [
      insertLetterStatement(death.letter, clock.nowMs()),
      ...toStatements(death),
      ...outboxStatements(toAnnouncements(death.letter)),
    ])
    const added = await fence.batch(statements, [OUTBOX_CHANNEL])
    if (added === 'lost') return null
    if (added.ok) return deaths.map(() => true)
    const [only] = deaths
    // It was there already: died before a crash and was delivered again after it.
    if (only && deaths.length === 1) return (await fence.batch(toStatements(only))) === 'lost' ? null : [false]
    const results: boolean[] = []
    for (const death of deaths) {
      const buried = await bury([death])
      if (buried === null) return null
      results.push(...buried)
    }
    return results
  }
  const persist = async (run: readonly Waiting[]): Promise<void> => {
    let hasFailed = false
    for (let waitMs = RETRY_MIN_MS; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        const results = await perform(run.map(({ change }) => change))
        if (!results || closing.signal.aborted) return
        const tell = (): void => {
          if (closing.signal.aborted) return
          for (const [index, { onWritten }] of run.entries()) onWritten(results[index] ?? true)
        }
        if (hasFailed) await recount(tell)
        else tell()
        return
      } catch (error) {
        hasFailed = true
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
