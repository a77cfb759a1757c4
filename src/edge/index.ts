export type { EdgeCell } from './cells.ts'
export { createEdge, type Edge, type EdgeOptions } from './edge.ts'
