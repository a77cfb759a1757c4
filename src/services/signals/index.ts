export { acceptSignals, type Signal } from './accept.ts'
export { createProgress, decideWatched, type Progress, toResumeMs, type Watched } from './progress.ts'
