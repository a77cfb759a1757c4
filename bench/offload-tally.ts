import { isOffloaded, type Reply, type ViewerRequest } from '../src/storm/index.ts'

/** What viewers were given of media, and what of it the edge had to ask its origin for. */
export type OffloadFigures = {
  /** Answers of the kinds in `MEDIA`; refusals are none. */
  readonly answers: number
  /** Answers for which the edge asked: all that do not say they came from memory or from another's fetch. */
  readonly forwarded: number
  readonly bytes: number
  readonly bytesForwarded: number
  /** Files that no viewer had ever asked for before: a cache that starts empty forwards each of them once. */
  readonly filesNew: number
  /** Titles of which a playlist was asked for. */
  readonly titles: number
  /** Answers by kind and what `Cache-Status` says, such as `segment-hit` and `playlist-bypass`. */
  readonly byOutcome: Readonly<Record<string, number>>
}

export type OffloadTally = {
  note(request: Pick<ViewerRequest, 'kind' | 'path'>, reply: Reply): void
  /** The figures since the last time they were taken; which files were asked for is remembered. */
  take(): OffloadFigures
}

/** Whatever a player or a page fetches besides the API. */
const MEDIA: ReadonlySet<ViewerRequest['kind']> = new Set(['playlist', 'init', 'segment', 'art'])
const NOTHING = { answers: 0, forwarded: 0, bytes: 0, bytesForwarded: 0, filesNew: 0 }

export function createOffloadTally(): OffloadTally {
  const files = new Set<string>()
  let sums = { ...NOTHING }
  let titles = new Set<string>()
  let byOutcome: Record<string, number> = {}
  return {
    note({ kind, path }, reply) {
      if (!reply.ok || !MEDIA.has(kind)) return
      const file = toFile(path)
      if (kind === 'playlist') titles.add(file.split('/')[0] ?? '')
      if (!files.has(file)) sums.filesNew += 1
      files.add(file)
      const isForwarded = reply.cacheStatus === null || !isOffloaded(reply.cacheStatus)
      sums.answers += 1
      sums.bytes += reply.bytes
      if (isForwarded) sums.forwarded += 1
      if (isForwarded) sums.bytesForwarded += reply.bytes
      const outcome = `${kind}-${toOutcome(reply.cacheStatus)}`
      byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1
    },
    take() {
      const taken = { ...sums, titles: titles.size, byOutcome }
      sums = { ...NOTHING }
      titles = new Set()
      byOutcome = {}
      return taken
    },
  }
}

/** Two stretches as one. */
export function addUp(first: OffloadFigures, second: OffloadFigures): Pick<OffloadFigures, 'answers' | 'forwarded'> {
  return { answers: first.answers + second.answers, forwarded: first.forwarded + second.forwarded }
}

/** Share of the answers that cost the origin nothing; 0 when there were none. */
export function offloadOf({ answers, forwarded }: Pick<OffloadFigures, 'answers' | 'forwarded'>): number {
  return answers === 0 ? 0 : 1 - forwarded / answers
}

/** The same by bytes. */
export function bytesOffloadOf({ bytes, bytesForwarded }: OffloadFigures): number {
  return bytes === 0 ? 0 : 1 - bytesForwarded / bytes
}

/** `/v/<token>/<title>/<file>` without what is a viewer's own; artwork has its path as it is. */
function toFile(path: string): string {
  return path.startsWith('/v/') ? path.split('/').slice(3).join('/') : path
}

/** In one word (RFC 9211, 2): `hit`, `collapsed`, why it was forwarded, or `unsaid`. */
function toOutcome(cacheStatus: string | null): string {
  const nearest = cacheStatus?.split(',').at(-1) ?? ''
  const parameters = nearest.split(';').map((parameter) => parameter.trim())
  const named = parameters.find((parameter) => parameter === 'hit' || parameter === 'collapsed')
  return named ?? parameters.find((parameter) => parameter.startsWith('fwd='))?.slice('fwd='.length) ?? 'unsaid'
}
