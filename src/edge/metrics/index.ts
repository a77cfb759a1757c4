export { createEdgeMeter, type EdgeMeter, type EdgeMeterOptions } from './meter.ts'
export type { MeterSources } from './sources.ts'
