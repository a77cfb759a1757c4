import type { RoleName, StartRole } from './context.ts'
import { runRole } from './supervisor/run-role.ts'

/** Each role's module is loaded only in its own process: a cell has no use for the encoder's code, nor time to read it. */
const MODULES: Readonly<Record<RoleName, () => Promise<{ start: StartRole }>>> = {
  store: () => import('./store.ts'),
  cell: () => import('./cell.ts'),
  edge: () => import('./edge.ts'),
  control: () => import('./control.ts'),
  worker: () => import('./worker.ts'),
}

runRole((role) => MODULES[role]())
