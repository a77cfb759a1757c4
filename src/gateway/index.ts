export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts'
export { type OpenApiDocument, toOpenApi } from './openapi.ts'
export type { Caller } from './route.ts'
