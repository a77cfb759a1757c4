import type { z } from 'zod'

/** One line of the API's description. */
export type Operation = {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Its parameters in braces. */
  readonly path: string
  readonly query?: readonly string[]
  readonly summary: string
  readonly body?: z.ZodType
  /** JSON when absent. */
  readonly bodyTypes?: readonly string[]
  /** Without a schema: server-sent events, or bytes of `type`; nothing with 204. */
  readonly answer: { readonly status: number; readonly schema: z.ZodType | null; readonly type?: string }
}
