export type { EdgeCell } from './cells.ts'
export { createEdge, type Edge, type EdgeOptions } from './edge.ts'
export { createProxyEdge, type ProxyEdge, type ProxyEdgeOptions } from './proxy/proxy-edge.ts'
