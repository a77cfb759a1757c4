import type { Statement, TablesPort } from '../engines/tables/index.ts'
import type { Clock } from '../kernel/index.ts'

/**
 * One holder at a time, over a row of `tables`. No wall clock takes part: a standby takes over when it has seen the row
 * unchanged for `leaseMs` of its own monotonic time, and the holder counts its time from *before* it sent the beat, so
 * it stops first. A holder that was paused past its time is caught by `fenceStatement`.
 */
export type Lease = {
  /** Takes it if it is free or dead, keeps it alive if it is ours and half used; true while it is ours. */
  hold(): Promise<boolean>
  /** Ours for this much longer, 0 when it is not. */
  validForMs(): number
  /** First statement of every batch the holder writes: undoes the batch when the lease is another's, and counts as a beat. */
  fenceStatement(): Statement
  /** To be called with the time before a batch with `fenceStatement` was sent, and whether it committed. */
  fenced(sentAtMs: number, held: boolean): void
  /** Gives it up, so that the next holder need not wait. */
  release(): Promise<void>
}

type LeaseRow = { readonly owner: string; readonly fence: number; readonly beat: number }
/** What a standby last saw, and since when it has not changed. */
export type LeaseSight = { readonly row: LeaseRow; readonly sinceMs: number }

/** Whether a standby that now reads `row` may claim it. */
export function decideClaim(
  seen: LeaseSight | null,
  row: LeaseRow,
  now: { elapsedMs: number; leaseMs: number },
): { readonly seen: LeaseSight; readonly claim: boolean } {
  const same = seen !== null && seen.row.fence === row.fence && seen.row.beat === row.beat
  const sight = same ? seen : { row, sinceMs: now.elapsedMs }
  return { seen: sight, claim: row.owner === '' || now.elapsedMs - sight.sinceMs >= now.leaseMs }
}

export function createLease(options: {
  tables: TablesPort
  name: string
  /** Unique to this process and start. */
  owner: string
  leaseMs: number
  clock: Clock
}): Lease {
  const { tables, name, owner, leaseMs, clock } = options
  let seen: LeaseSight | null = null
  let fence = -1
  let validUntilMs = Number.NEGATIVE_INFINITY

  const validForMs = (): number => Math.max(0, validUntilMs - clock.elapsedMs())
  const fenced = (sentAtMs: number, held: boolean): void => {
    validUntilMs = held ? sentAtMs + leaseMs : Number.NEGATIVE_INFINITY
    if (!held) fence = -1
  }
  const fenceStatement = (): Statement => ({
    sql: 'UPDATE hub_leases SET beat = beat + 1 WHERE name = ? AND owner = ? AND fence = ?',
    parameters: [name, owner, fence],
    expectRows: 1,
  })
  const claim = async (): Promise<boolean> => {
    const [found] = await tables.query({
      sql: 'SELECT owner, fence, beat FROM hub_leases WHERE name = ?',
      parameters: [name],
    })
    if (!found) return false
    const row = { owner: String(found['owner']), fence: Number(found['fence']), beat: Number(found['beat']) }
    const sentAtMs = clock.elapsedMs()
    const decided = decideClaim(seen, row, { elapsedMs: sentAtMs, leaseMs })
    seen = decided.seen
    if (!decided.claim) return false
    const taken = await tables.batch([
      {
        sql: 'UPDATE hub_leases SET owner = ?, fence = fence + 1, beat = 0 WHERE name = ? AND fence = ? AND beat = ?',
        parameters: [owner, name, row.fence, row.beat],
        expectRows: 1,
      },
    ])
    if (!taken.ok) return false
    fence = row.fence + 1
    fenced(sentAtMs, true)
    return true
  }

  return {
    validForMs,
    fenced,
    fenceStatement,
    async hold() {
      if (fence < 0) return claim()
      if (validForMs() > leaseMs / 2) return true
      const sentAtMs = clock.elapsedMs()
      const beaten = await tables.batch([fenceStatement()])
      fenced(sentAtMs, beaten.ok)
      return beaten.ok
    },
    async release() {
      if (fence < 0) return
      const statement = {
        sql: "UPDATE hub_leases SET owner = '', beat = beat + 1 WHERE name = ? AND owner = ? AND fence = ?",
        parameters: [name, owner, fence],
      }
      fenced(0, false)
      await tables.batch([statement])
    },
  }
}
