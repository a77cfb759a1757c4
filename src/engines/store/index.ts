export { createStoreClient, type StoreClient } from './client.ts'
export { createStoreHandler, type StoreHandler } from './handler.ts'
