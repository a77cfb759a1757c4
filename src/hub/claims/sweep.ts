import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { finishRemoval, type Removal, removeClaims } from './claims.ts'
import { decideSweep, EMPTY_MEMORY, type PartitionEnd } from './decide-sweep.ts'
import { findHeldRefs } from './holders.ts'
import { referenceStatement } from './rows.ts'
import { readEnds, searchPartition } from './search-log.ts'

const REFS_PER_BATCH = 500

export type SweepOptions = {
  readonly log: LogPort
  readonly objects: ObjectsPort
  readonly tables: TablesPort
  /** All topics that may refer to a claim: of events, and those that pipes read. Asked at each sweep. */
  readonly topics: () => readonly string[]
  readonly limits: Pick<Limits, 'hubClaimGraceMs' | 'hubClaimsPerSweepMax'>
  readonly clock: Clock
  readonly logger: Logger
}

export type SweepReport = { readonly removed: readonly string[]; readonly waiting: number }

/**
 * One sweep per call, one at a time: removes claims that were known for `hubClaimGraceMs` and that neither a row that
 * holds one (outbox, parked events, dead letters) nor the log, read up to a point behind that time, refers to. The log is
 * read at each sweep as long as some claim waits. Each step may be repeated, so several processes may sweep, and one may
 * die at any point. Whatever cannot be told for sure (records trimmed or damaged before they were searched) keeps its
 * object.
 */
export function createClaimSweep(options: SweepOptions): (signal: AbortSignal) => Promise<SweepReport> {
  const { log, tables, topics, limits, clock } = options
  let memory = EMPTY_MEMORY
  return async (signal) => {
    await removeCondemned(options)
    const ends = await readEnds(log, topics())
    const refs = await readRefs(tables, 'written', limits.hubClaimsPerSweepMax)
    const complete = refs.length < limits.hubClaimsPerSweepMax
    const decided = decideSweep(
      memory,
      { refs, complete, ends },
      { nowMs: clock.elapsedMs(), graceMs: limits.hubClaimGraceMs },
    )
    memory = decided.memory
    if (decided.searched) await tables.batch(decided.searched.map(positionStatement))
    if (!decided.isSearchDue) return { removed: [], waiting: refs.length }
    const searched = await markReferenced(options, refs, signal)
    memory = { ...memory, snapshot: { atMs: clock.elapsedMs(), ends: searched } }
    const removed = decided.old.length > 0 ? await remove(options, decided.old) : []
    return { removed, waiting: refs.length - removed.length }
  }
}

/**
 * Marks what rows and the log refer to, and answers up to where it searched. Rows are read before the log's ends are: what
 * leaves the outbox for the log meanwhile is found in one of the two.
 */
async function markReferenced(
  options: SweepOptions,
  refs: readonly string[],
  signal: AbortSignal,
): Promise<readonly PartitionEnd[]> {
  const { log, tables, topics, logger } = options
  await mark(tables, await findHeldRefs(tables, refs))
  const ends = await readEnds(log, topics())
  const positions = await readPositions(tables)
  let whole = true
  for (const to of ends) {
    const from = positions.get(`${to.topic}:${to.partition}`) ?? null
    const found = await searchPartition(log, { from, to, signal }, (some) => mark(tables, some))
    if (!found)
      logger.warn('records were trimmed or damaged before they were searched for references', { topic: to.topic })
    whole &&= found
  }
  // Rows are kept for good then, whatever their age: the search goes on behind what could not be read.
  if (!whole) await tables.batch([{ sql: "UPDATE hub_claims SET state = 'referenced' WHERE state = 'written'" }])
  if (ends.length > 0) await tables.batch(ends.map(positionStatement))
  return ends
}

async function mark(tables: TablesPort, refs: readonly string[]): Promise<void> {
  for (let at = 0; at < refs.length; at += REFS_PER_BATCH)
    await tables.batch([referenceStatement(refs.slice(at, at + REFS_PER_BATCH))])
}

/** What a process that died was removing. */
async function removeCondemned(options: SweepOptions): Promise<void> {
  const refs = await readRefs(options.tables, 'condemned', options.limits.hubClaimsPerSweepMax)
  tellFailed(options, await finishRemoval(options, refs))
}

async function remove(options: SweepOptions, refs: readonly string[]): Promise<readonly string[]> {
  const removal = await removeClaims(options, refs)
  tellFailed(options, removal)
  return removal.removed
}

/** They stay condemned: the next sweep tries them again, and the others need not wait for them. */
function tellFailed({ logger }: SweepOptions, { failed, error }: Removal): void {
  if (failed.length === 0) return
  logger.warn('objects that nothing refers to could not be removed; they are tried again', {
    first: failed[0],
    count: failed.length,
    error: describeError(error),
  })
}

async function readRefs(tables: TablesPort, state: 'written' | 'condemned', max: number): Promise<readonly string[]> {
  const rows = await tables.query({
    sql: "SELECT ref FROM hub_claims WHERE state <> 'referenced' AND state = ? ORDER BY created_at_ms, ref LIMIT ?",
    parameters: [state, max],
  })
  return rows.map((row) => String(row['ref']))
}

async function readPositions(tables: TablesPort): Promise<ReadonlyMap<string, number>> {
  const rows = await tables.query({ sql: 'SELECT topic, partition_number, next_offset FROM hub_claim_positions' })
  return new Map(rows.map((row) => [`${row['topic']}:${row['partition_number']}`, Number(row['next_offset'])]))
}

function positionStatement({ topic, partition, end }: PartitionEnd): Statement {
  return {
    sql: `INSERT INTO hub_claim_positions (topic, partition_number, next_offset) VALUES (?, ?, ?)
      ON CONFLICT (topic, partition_number) DO UPDATE SET next_offset = excluded.next_offset`,
    parameters: [topic, partition, end],
  }
}
