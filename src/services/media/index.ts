export { createPlanner, type Planner } from './planner.ts'
export { mediaMigrations } from './schema.ts'
export { createMediaWorker, type MediaWorker } from './worker.ts'
