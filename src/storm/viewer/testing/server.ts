import type { Failure, ViewerRequest } from '../protocol.ts'

/** What a server says, and how long after it was asked. */
export type Reply =
  | { readonly ok: true; readonly afterMs: number; readonly content: unknown; readonly bytes: number }
  | { readonly ok: false; readonly afterMs: number; readonly failure: Failure }
export type Server = (request: ViewerRequest, nowMs: number) => Reply
