import type { PathKeys } from '../contracts/index.ts'
import type { ObjectsPort } from '../engines/objects/index.ts'
import type { Clock, Limits } from '../kernel/index.ts'
import type { Cells } from './cells.ts'
import type { Heard } from './heard/index.ts'
import type { FieldReader } from './http/index.ts'
import { createMediaUpstream, type MediaWanted } from './media-upstream.ts'
import { createPathTokens } from './path-tokens.ts'
import { type EdgeProblem, RETRY_SOON, toProblemAnswer, toTokenProblem } from './problem.ts'
import { type CacheStack, createCacheStack } from './proxy/cache-stack.ts'
import { cancel } from './proxy/respond.ts'
import type { Answer, ServerRequest } from './server/index.ts'

export type Media = {
  /** `/v/<token>/<titleId>/<file…>` */
  protected(request: ServerRequest): Answer | Promise<Answer>
  /** `/art/<titleId>/poster.jpg` */
  artwork(request: ServerRequest): Answer | Promise<Answer>
  /** Called when a title is withdrawn: nothing of it is kept, read or waited for any more. */
  withdraw(titleId: string): void
  /** What purges go through, and what is counted. */
  readonly stack: CacheStack<MediaWanted>
}

export type MediaOptions = {
  readonly cells: Cells
  readonly objects: ObjectsPort
  readonly pathKeys: () => PathKeys
  readonly heard: Pick<Heard, 'isWithdrawn' | 'isRevoked' | 'trusted'>
  readonly limits: Limits
  readonly clock: Clock
}

const FILE = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*$/
const ARTWORK = /^\/art\/([0-9a-hjkmnp-tv-z]{16})\/(poster\.jpg)$/
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
/** No client's `Host` is in these keys: media is the same under every name of the platform. */
const MEDIA_ORIGIN = 'http://media'

/** Serves media files from the cache, from objects, or as a cell says; decides itself who may have them. */
export function createMedia(options: MediaOptions): Media {
  const { heard, limits, clock } = options
  const stack = createCacheStack({
    upstream: createMediaUpstream({ ...options, isWithdrawn: heard.isWithdrawn }),
    limits,
    clock,
  })
  const checkToken = createPathTokens({ keys: options.pathKeys, tokensMax: limits.viewerTokensMemoMax })

  const refuse = ({ titleId, viewer }: MediaWanted): EdgeProblem | null => {
    if (viewer === null) return heard.isWithdrawn(titleId) ? notFound : null
    if (!heard.trusted()) return untrusted
    if (heard.isWithdrawn(titleId)) return withdrawn
    return heard.isRevoked(viewer.sessionId) ? revoked : null
  }

  const serve = (request: ServerRequest, wanted: MediaWanted): Answer | Promise<Answer> => {
    const refusal = refuse(wanted)
    if (refusal) return toProblemAnswer(refusal)
    const path = `${wanted.viewer ? '/v' : '/art'}/${wanted.titleId}/${wanted.file}`
    const head = { method: request.method, uri: MEDIA_ORIGIN + path, fields: selecting(request.fields) }
    const mayGoOn = (): boolean => refuse(wanted) === null
    const cell = wanted.viewer?.cell ?? null
    const answer = stack.proxy.handle({ request, head, path, cell, context: wanted, mayGoOn })
    return answer instanceof Promise ? answer.then((late) => admit(late, wanted)) : answer
  }

  /** It may have been withdrawn, or the log gone silent, while this waited. */
  const admit = (answer: Answer, wanted: MediaWanted): Answer => {
    const refusal = refuse(wanted)
    if (!refusal) return answer
    cancel(answer.body)
    return toProblemAnswer(refusal)
  }

  return {
    stack,
    protected(request) {
      if (!READS.has(request.method)) return toProblemAnswer(onlyReads)
      const { path } = request
      const tokenEnd = path.indexOf('/', 3)
      const titleEnd = tokenEnd < 0 ? -1 : path.indexOf('/', tokenEnd + 1)
      const own = tokenEnd < 0 ? '' : path.slice(tokenEnd)
      const token = path.slice(3, tokenEnd < 0 ? undefined : tokenEnd)
      const access = checkToken(token, own, request.clientAddress, clock.nowMs())
      if (!access.ok) return toProblemAnswer(toTokenProblem(access.code))
      if (titleEnd < 0) return toProblemAnswer(notFound)
      const file = path.slice(titleEnd + 1)
      if (!FILE.test(file)) return toProblemAnswer(notFound)
      const { sessionId, cell } = access.token
      return serve(request, { titleId: path.slice(tokenEnd + 1, titleEnd), file, viewer: { sessionId, cell } })
    },
    artwork(request) {
      if (!READS.has(request.method)) return toProblemAnswer(onlyReads)
      const match = ARTWORK.exec(request.path)
      if (!match) return toProblemAnswer(notFound)
      const [, titleId = '', file = ''] = match
      return serve(request, { titleId, file, viewer: null })
    },
    withdraw(titleId) {
      stack.tier.purgeTag(titleId)
      const prefixes = [`${MEDIA_ORIGIN}/v/${titleId}/`, `${MEDIA_ORIGIN}/art/${titleId}/`]
      stack.fetches.abort((key) => prefixes.some((prefix) => key.startsWith(prefix)), withdrawnFailure)
    },
  }
}

/**
 * All that counts of what a player sends: which part it wants, and what it has. A viewer's `no-cache`, `no-store` or
 * `Authorization` must not send everyone's segments to the cells. The same reader for the same fields, which come again and again.
 */
function selecting(fields: FieldReader): FieldReader {
  const known = selections.get(fields)
  if (known) return known
  const made: FieldReader = { get: (name) => (SELECTING.has(name) ? fields.get(name) : null) }
  selections.set(fields, made)
  return made
}
const selections = new WeakMap<FieldReader, FieldReader>()
const SELECTING: ReadonlySet<string> = new Set(['range', 'if-range', 'if-none-match', 'if-modified-since'])

const withdrawnFailure = { code: 'title-withdrawn', why: 'the title was withdrawn' }

const onlyReads: EdgeProblem = {
  status: 405,
  code: 'method-not-allowed',
  detail: 'media files are read only: expected GET or HEAD',
  headers: { allow: 'GET, HEAD' },
}
const notFound: EdgeProblem = { status: 404, code: 'file-not-found', detail: 'there is no such file' }
const withdrawn: EdgeProblem = { status: 410, code: 'title-withdrawn', detail: 'the title was withdrawn' }
const revoked: EdgeProblem = { status: 403, code: 'session-revoked', detail: 'the session was ended; press play again' }
const untrusted: EdgeProblem = {
  status: 503,
  code: 'log-silent',
  detail: 'the edge has not heard from the log for its grace period and cannot know what was withdrawn; retry shortly',
  headers: RETRY_SOON,
}
