export { createFindEvent, type EventFound, type EventSearch, type FindEvent } from './find-event.ts'
export { createReplays, type PatternOf, type Replays } from './replays.ts'
export type { DecodeReplay, DeliverReplay } from './run-job.ts'
export { createReplayRunner, type ReplayRunner, type ReplayRunnerOptions } from './runner.ts'
