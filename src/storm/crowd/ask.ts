import type { Failure, ViewerRequest } from '../viewer/index.ts'

/** A viewer's line to the target: one request at a time. */
export type Ask = {
  send(request: ViewerRequest, onReply: (reply: Reply) => void): void
  /** Ends a request whose time is up; called every now and then. */
  sweep(): void
  /** No reply comes after this. */
  close(): void
}

export type Reply =
  | {
      readonly ok: true
      readonly status: number
      /** What `request.read` asked for; null for `bytes`. */
      readonly content: unknown
      readonly bytes: number
      readonly tookMs: number
      readonly cacheStatus: string | null
    }
  | { readonly ok: false; readonly failure: Failure; readonly bytes: number }
