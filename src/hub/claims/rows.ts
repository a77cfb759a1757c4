import type { Statement } from '../../engines/tables/index.ts'

/** The row that says an object is about to be written, so that it is found if nobody comes to refer to it. */
export function intentStatement(row: { ref: string; eventId: string; createdAtMs: number }): Statement {
  return {
    sql: "INSERT INTO hub_claims (ref, event_id, created_at_ms, state) VALUES (?, ?, ?, 'written')",
    parameters: [row.ref, row.eventId, row.createdAtMs],
    expectRows: 1,
  }
}

export function referenceStatement(refs: readonly string[]): Statement {
  return {
    sql: `UPDATE hub_claims SET state = 'referenced' WHERE state = 'written' AND ref IN (${marks(refs)})`,
    parameters: refs,
  }
}

/** Only what nobody refers to can be condemned; the answer names those that were. */
export function condemnStatement(refs: readonly string[]): Statement {
  return {
    sql: `UPDATE hub_claims SET state = 'condemned' WHERE state = 'written' AND ref IN (${marks(refs)}) RETURNING ref`,
    parameters: refs,
  }
}

export function forgetStatement(refs: readonly string[]): Statement {
  return {
    sql: `DELETE FROM hub_claims WHERE state = 'condemned' AND ref IN (${marks(refs)})`,
    parameters: refs,
  }
}

function marks(refs: readonly string[]): string {
  return refs.map(() => '?').join(', ')
}
