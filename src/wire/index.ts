export { createWireClient, type WireCallOptions, type WireClient } from './client.ts'
export { createWireServer, type WireCall, type WireHandler, type WireServer } from './server.ts'
