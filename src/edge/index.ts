export type { EdgeCell } from './cells.ts'
export { createEdge, type Edge, type EdgeOptions } from './edge.ts'
export { createEdgeMeter, type EdgeMeter, type EdgeMeterOptions, type MeterSources } from './metrics/index.ts'
export { createProxyEdge, type ProxyEdge, type ProxyEdgeOptions } from './proxy/proxy-edge.ts'
