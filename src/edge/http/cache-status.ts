/** `Cache-Status` (RFC 9211): how this cache handled a request. */
import { parseList } from './structured-fields.ts'

/** Why a request went forward (RFC 9211, 2.2), from the most specific reason to the least. */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial'

/** One of `hit` and `fwd`, never both (RFC 9211, 2.1). The key is not told: it would help who wants to poison it (6). */
export type CacheReport = {
  /** Remaining freshness in whole seconds; negative when stale (2.4). */
  readonly ttlS?: number | undefined
  /** A word of our own, such as `memory` (2.8). */
  readonly detail?: string | undefined
} & (
  | { readonly hit: true }
  | {
      readonly hit?: false | undefined
      readonly fwd: ForwardReason
      /** What the next hop answered, when it is not what is sent (2.3). */
      readonly fwdStatus?: number | undefined
      readonly stored?: boolean | undefined
      /** True: this request was answered by another's fetch; false: that was tried in vain (2.6). */
      readonly collapsed?: boolean | undefined
    }
)

const CACHE_NAME = 'tentpole'
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/

/** This cache's member of the list; written by hand, as it is made per request. */
export function toCacheStatus(report: CacheReport): string {
  const how = report.hit === true ? '; hit' : toForwardText(report)
  const ttl = report.ttlS === undefined ? '' : `; ttl=${Math.trunc(report.ttlS)}`
  const detail = report.detail === undefined ? '' : `; detail=${toDetailText(report.detail)}`
  return `${CACHE_NAME}${how}${ttl}${detail}`
}

/** Ours comes last, as it is the nearest to the client (RFC 9211, 2). A value that does not parse is dropped, or nobody could read ours. */
export function appendCacheStatus(upstream: string | null, own: string): string {
  if (upstream === null) return own
  const members = parseList(upstream)
  return members === null || members.length === 0 ? own : `${upstream}, ${own}`
}

function toForwardText(report: Extract<CacheReport, { fwd: ForwardReason }>): string {
  const status = report.fwdStatus === undefined ? '' : `; fwd-status=${report.fwdStatus}`
  const stored = report.stored === undefined ? '' : `; stored${report.stored ? '' : '=?0'}`
  const collapsed = report.collapsed === undefined ? '' : `; collapsed${report.collapsed ? '' : '=?0'}`
  return `; fwd=${report.fwd}${status}${stored}${collapsed}`
}

/** A token where it is one, else a string without what a string cannot hold (RFC 9651, 3.3.3). */
function toDetailText(detail: string): string {
  if (TOKEN.test(detail)) return detail
  return `"${detail.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
