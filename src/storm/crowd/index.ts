export { type Alarms, createAlarms } from './alarms.ts'
export type { Ask, Reply } from './ask.ts'
export { createAsk } from './create-ask.ts'
export { type Crowd, createCrowd, toReason } from './crowd.ts'
export { createLatencies, type Latencies } from './latencies.ts'
export {
  createRecorder,
  type DueSecond,
  isOffloaded,
  type Outcome,
  type Recorder,
  type Surroundings,
} from './recorder.ts'
