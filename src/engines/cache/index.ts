export { createMemoryCache } from './memory.ts'
export type { CachePort } from './port.ts'
