import type { BatchResult, Statement, TablesPort } from '../../engines/tables/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Lease } from '../lease.ts'

/** Writes as the one process that runs the bus: a batch of one that has lost the lease without knowing does nothing. */
export type Fence = {
  /** The answer without the fence's own part; `lost` when the lease is another's, which the session is told. */
  batch(statements: readonly Statement[], notify?: readonly string[]): Promise<BatchResult | 'lost'>
  holds(): boolean
}

export function createFence(options: {
  tables: TablesPort
  lease: Pick<Lease, 'fenceStatement' | 'fenced' | 'validForMs'>
  clock: Clock
  onLost: () => void
}): Fence {
  const { tables, lease, clock, onLost } = options
  return {
    async batch(statements, notify = []) {
      const sentAtMs = clock.elapsedMs()
      const result = await tables.batch([lease.fenceStatement(), ...statements], { notify })
      if (result.ok) {
        lease.fenced(sentAtMs, true)
        return { ok: true, results: result.results.slice(1) }
      }
      if (result.statement > 0) return { ...result, statement: result.statement - 1 }
      lease.fenced(sentAtMs, false)
      onLost()
      return 'lost'
    },
    holds: () => lease.validForMs() > 0,
  }
}
