export { type Grants, mayPublish } from './grants.ts'
export type { Spoke } from './rows.ts'
export { spokesMigration } from './schema.ts'
export type { Sight } from './sights.ts'
export { withSpokeSight } from './spoke-target.ts'
export { createSpokes, type SpokeChange, type SpokeCreated, type Spokes } from './spokes.ts'
export {
  type AcknowledgeCounts,
  createStreamHub,
  type StreamEnd,
  type StreamHub,
  type StreamReader,
  type StreamSink,
} from './stream-hub.ts'
