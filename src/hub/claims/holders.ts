import type { TablesPort } from '../../engines/tables/index.ts'
import { CLAIM_PREFIX, findRefs } from './claim.ts'

/** Of these references, those that rows of some table name: they may come onto the log yet, or be asked for by people. */
type RefHolder = (refs: readonly string[]) => Promise<readonly string[]>

const ROWS_PER_READ = 64

export async function findHeldRefs(tables: TablesPort, refs: readonly string[]): Promise<readonly string[]> {
  const holders = [
    createColumnHolder(tables, 'hub_parked'),
    createColumnHolder(tables, 'hub_dead_letters'),
    createOutboxHolder(tables),
  ]
  const held = await Promise.all(holders.map((holder) => holder(refs)))
  return held.flat()
}

function createColumnHolder(tables: TablesPort, table: 'hub_parked' | 'hub_dead_letters'): RefHolder {
  return async (refs) => {
    const marks = refs.map(() => '?').join(', ')
    const sql = `SELECT DISTINCT claim_ref FROM ${table} WHERE claim_ref IN (${marks})`
    return (await tables.query({ sql, parameters: refs })).map((row) => String(row['claim_ref']))
  }
}

/** Events that wait for the relay. */
function createOutboxHolder(tables: TablesPort): RefHolder {
  return async (refs) => {
    const asked = new Set(refs)
    const held = new Set<string>()
    for (let after = -1; ; ) {
      const rows = await tables.query({
        sql: 'SELECT position, event FROM hub_outbox WHERE position > ? AND event LIKE ? ORDER BY position LIMIT ?',
        parameters: [after, `%${CLAIM_PREFIX}%`, ROWS_PER_READ],
      })
      const last = rows.at(-1)
      if (!last) return [...held]
      for (const row of rows) for (const ref of findRefs(String(row['event']))) if (asked.has(ref)) held.add(ref)
      after = Number(last['position'])
    }
  }
}
