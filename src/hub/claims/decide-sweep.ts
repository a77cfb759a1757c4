/** What one sweeper remembers between sweeps. Ages are counted by its own monotonic clock from when it saw a row, so no two clocks are compared. */
export type SweepMemory = {
  readonly firstSeenMs: ReadonlyMap<string, number>
  /** The log's ends as they were before the rows of an earlier sweep were read. */
  readonly snapshot: { readonly atMs: number; readonly ends: readonly PartitionEnd[] } | null
}
export type PartitionEnd = { readonly topic: string; readonly partition: number; readonly end: number }

export const EMPTY_MEMORY: SweepMemory = { firstSeenMs: new Map(), snapshot: null }

export type SweepDecision = {
  readonly memory: SweepMemory
  /** To be removed, unless something refers to them. */
  readonly old: readonly string[]
  /** Up to here nothing on the log can refer to a claim whose fate is open; null: nothing new is known. */
  readonly searched: readonly PartitionEnd[] | null
  /**
   * Whether the log is to be searched now: some row has been waiting since an earlier sweep, so nothing is known without.
   * At each sweep and not when it is old, for the log may have forgotten by then what was appended meanwhile.
   */
  readonly isSearchDue: boolean
}

/**
 * `rows` are the claims nobody is known to refer to, `ends` what the log ended at before they were read.
 *
 * A row that is here now and was not when the snapshot's rows were read was written after the snapshot's ends were: what
 * refers to it is behind them. So when all rows are of this kind, the log need not be searched before those ends.
 */
export function decideSweep(
  memory: SweepMemory,
  rows: { readonly refs: readonly string[]; readonly complete: boolean; readonly ends: readonly PartitionEnd[] },
  now: { readonly nowMs: number; readonly graceMs: number },
): SweepDecision {
  const { snapshot } = memory
  const firstSeenMs = new Map(rows.refs.map((ref) => [ref, memory.firstSeenMs.get(ref) ?? now.nowMs]))
  const seen = [...firstSeenMs]
  const old = seen.filter(([, sinceMs]) => now.nowMs - sinceMs >= now.graceMs).map(([ref]) => ref)
  const passed = snapshot !== null && rows.complete && seen.every(([, sinceMs]) => sinceMs > snapshot.atMs)
  const taken = { atMs: now.nowMs, ends: rows.ends }
  const kept = snapshot === null || passed ? taken : snapshot
  // Rows that were not read are not remembered, and would look new the next time.
  const isWaiting = seen.some(([, sinceMs]) => sinceMs < now.nowMs)
  return {
    memory: { firstSeenMs, snapshot: rows.complete ? kept : null },
    old,
    searched: passed ? snapshot.ends : null,
    isSearchDue: old.length > 0 || (isWaiting && !passed),
  }
}
