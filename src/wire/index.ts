export { createWireClient, type WireCallOptions, type WireClient } from './client.ts'
export {
  CELL_ORIGIN,
  decodeHttpRequest,
  decodeHttpResponse,
  encodeHttpRequest,
  encodeHttpResponse,
  type HttpHeaders,
  type WireHttpRequest,
  type WireHttpResponse,
} from './http.ts'
export { createWireServer, type WireCall, type WireHandler, type WireServer } from './server.ts'
