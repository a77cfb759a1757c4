export { type Grants, mayPublish } from './grants.ts'
export type { Spoke } from './rows.ts'
export { spokesMigration } from './schema.ts'
export { withSpokeSight } from './spoke-target.ts'
export { createSpokes, type Sight, type SpokeChange, type SpokeCreated, type Spokes } from './spokes.ts'
export {
  type AcknowledgeCounts,
  createStreamHub,
  type StreamEnd,
  type StreamHub,
  type StreamReader,
  type StreamSink,
} from './stream-hub.ts'
