import { DEFAULT_LIMITS, type Limits } from '../../../kernel/index.ts'

/** What an operator may choose of the cache's policy; everything else is the RFCs'. */
export type PolicyOptions = {
  /** Share of the time since Last-Modified that a response without explicit freshness stays fresh (RFC 9111, 4.2.2). */
  readonly heuristicShare: number
  readonly heuristicMaxMs: number
  /** Freshness of a 404 and its like about which nothing is said and that has no validator. */
  readonly negativeMs: number
  /** Share by which lifetimes are shortened at most, differently per key, so that what came together does not expire together. */
  readonly jitterShare: number
  /** Lifetimes up to this one are left alone. */
  readonly jitterAboveMs: number
  /** How long past its freshness a response may serve while no origin can be reached and stale-if-error is silent (RFC 9111, 4.2.4). */
  readonly disconnectedStaleMs: number
  /** True: a client cannot force validation (no-cache, Pragma, max-age and min-fresh are wishes, RFC 9111, 5.2.1). */
  readonly ignoreRequestNoCache: boolean
  /** Variants kept of one URI, and fields a Vary may name. */
  readonly variantsMax: number
  readonly varyFieldsMax: number
}

export const DEFAULT_POLICY: PolicyOptions = {
  heuristicShare: 0.1,
  heuristicMaxMs: 24 * 3_600_000,
  negativeMs: 1_000,
  jitterShare: 0.05,
  jitterAboveMs: 10_000,
  disconnectedStaleMs: 24 * 3_600_000,
  ignoreRequestNoCache: false,
  variantsMax: DEFAULT_LIMITS.edgeVariantsMax,
  varyFieldsMax: DEFAULT_LIMITS.edgeVaryFieldsMax,
}

/** The default policy within these limits. */
export const toPolicy = (limits: Pick<Limits, 'edgeVariantsMax' | 'edgeVaryFieldsMax'>): PolicyOptions => ({
  ...DEFAULT_POLICY,
  variantsMax: limits.edgeVariantsMax,
  varyFieldsMax: limits.edgeVaryFieldsMax,
})
