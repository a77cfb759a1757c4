export { createHeard, type Heard, type HeardOptions } from './heard.ts'
export { applyPurge, createPurgeable, type Purgeable } from './purgeable.ts'
