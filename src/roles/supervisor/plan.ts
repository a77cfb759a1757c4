import type { ResolvedConfig } from '../../contracts/index.ts'
import type { RoleName } from '../context.ts'

export type RolePlan = { readonly name: string; readonly role: RoleName; readonly cell: string | null }

/** The processes of a platform, by its configuration. */
export function planRoles(config: Pick<ResolvedConfig, 'cells' | 'media'>): RolePlan[] {
  const workers = Array.from({ length: config.media.workers }, (_, at) => at)
  return [
    { name: 'store', role: 'store', cell: null },
    ...config.cells.map((cell): RolePlan => ({ name: `cell-${cell.name}`, role: 'cell', cell: cell.name })),
    { name: 'control', role: 'control', cell: null },
    ...workers.map((at): RolePlan => ({ name: `worker-${at}`, role: 'worker', cell: null })),
    { name: 'edge', role: 'edge', cell: null },
  ]
}
