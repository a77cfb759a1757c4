import { coversPath, type PathKeys } from '../../contracts/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { FieldLine } from '../http/index.ts'
import { createPathTokens } from '../path-tokens.ts'
import { type EdgeProblem, toTokenProblem } from '../problem.ts'
import type { ServerRequest } from '../server/index.ts'
import type { Upstream, UpstreamRequest } from './ask.ts'

/** Signed addresses are `/v/<token>/<path>`. */
const SIGNED = '/v/'

export type SignedPathsOptions = {
  readonly keys: () => PathKeys
  /** What is below one that ends with `/`, and what is one of the others, needs no signature. */
  readonly publicPrefixes: readonly string[]
  readonly tokensMax: number
  readonly clock: Clock
}

/** The path that a signed or public address stands for; nothing behind this ever sees a token. */
export function createSignedPaths(options: SignedPathsOptions): (request: ServerRequest) => string | EdgeProblem {
  const { publicPrefixes, clock } = options
  const check = createPathTokens(options)
  return ({ path, clientAddress }) => {
    if (!path.startsWith(SIGNED))
      return publicPrefixes.some((prefix) => coversPath({ prefix }, path)) ? path : signatureMissing
    const end = path.indexOf('/', SIGNED.length)
    if (end < 0) return signatureMissing
    const own = path.slice(end)
    const access = check(path.slice(SIGNED.length, end), own, clientAddress, clock.nowMs())
    return access.ok ? own : toTokenProblem(access.code)
  }
}

/** Addresses with tokens reach neither the origin, as `Referer`, nor other sites: what they say of it counts, ours where they say nothing. */
export function withoutTokens<C>(upstream: Upstream<C>): Upstream<C> {
  return async (request: UpstreamRequest<C>) => {
    const { lines } = request
    const answer = await upstream(
      lines.some(isReferer) ? { ...request, lines: lines.filter((line) => !isReferer(line)) } : request,
    )
    if (!answer.ok || answer.lines.some(([name]) => name === 'referrer-policy')) return answer
    return { ...answer, lines: [...answer.lines, NO_REFERRER] }
  }
}

const isReferer = ([name]: FieldLine): boolean => name === 'referer'
/** One for all, also in memory. */
const NO_REFERRER: FieldLine = ['referrer-policy', 'no-referrer']

const signatureMissing: EdgeProblem = {
  status: 403,
  code: 'signature-missing',
  detail: 'expected a signed address, /v/<token>/<path>; ask whoever gives them out for one',
}
