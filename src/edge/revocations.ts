export { createHeard as createRevocations, type Heard as Revocations } from './heard/index.ts'
