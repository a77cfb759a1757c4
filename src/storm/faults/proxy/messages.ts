import type { LinkConditions } from '../plan.ts'
import type { Address } from './address.ts'

/** What the storm asks of the process that its proxies run in; answered one by one, by `id`. */
export type ToProxies =
  /** A proxy on a port of its own; the answer has the port. */
  | {
      readonly id: number
      readonly type: 'listen'
      readonly link: string
      readonly listen: Address
      readonly target: Address
    }
  | { readonly id: number; readonly type: 'take-over'; readonly link: string; readonly path: string }
  | { readonly id: number; readonly type: 'conditions'; readonly link: string; readonly conditions: LinkConditions }
  /** Everything is put back. */
  | { readonly id: number; readonly type: 'close' }

export type FromProxies =
  | { readonly type: 'hello' }
  | { readonly type: 'done'; readonly id: number; readonly port: number }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string }
