export { type Catalog, catalogView, createCatalog } from './catalog.ts'
export type { SegmentIndex, SegmentWait, WaitOptions } from './segment-waits.ts'
export {
  type CatalogEventType,
  type CatalogTitle,
  decideTitle,
  isListed,
  type ReadySegment,
  type TrackReadiness,
} from './title.ts'
