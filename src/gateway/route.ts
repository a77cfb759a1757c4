import type { z } from 'zod'
import type { ViewerClaims } from '../contracts/index.ts'
import type { ProblemCode } from './problem.ts'

/** What a handler is given of a request. */
export type RouteCall = {
  readonly request: Request
  /** The parts of the path that the route names. */
  readonly parameter: (name: string) => string
  readonly caller: Caller
}

/** Who hands a request in: aborted when it does not want the answer any more. */
export type Caller = {
  readonly signal?: AbortSignal
  /** The body is in memory already. */
  readonly bodyHeld?: boolean
}

export type Answer = Response | Promise<Response>
export type Handle = (call: RouteCall) => Answer
export type ViewerHandle = (viewer: ViewerClaims, call: RouteCall) => Answer

/** One route: how it is served, and what OpenAPI says of it. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Hono's form: `/v1/titles/:id`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly tokenNeeded: boolean
  readonly body?: z.ZodType
  readonly answer: { readonly status: number; readonly schema: z.ZodType; readonly description: string }
  readonly problems: readonly ProblemCode[]
  readonly handle: Handle
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const

/** Every answer of the API is one viewer's own, so none may be kept by anyone in between. */
export function toJson(body: unknown, status = 200): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers: JSON_HEADERS })
}
