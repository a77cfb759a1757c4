export { createDirectoryObjects } from './directory.ts'
export type { ObjectInfo, ObjectsPort } from './port.ts'
