export { type Content, cancelContent } from './content.ts'
export type { Accepts, ChunkStore, Fetched, FetchFailure, Joined, Reread, StartFetch } from './fetched.ts'
export { createOrigins, type Origins } from './origins.ts'
export { createSharedFetches, type SharedFetches } from './shared-fetch.ts'
