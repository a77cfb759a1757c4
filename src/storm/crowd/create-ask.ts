import {
  type Connection,
  type ExchangeResult,
  type PlaylistMemo,
  type PlaylistResult,
  renderHead,
} from '../http/index.ts'
import type { Target } from '../target.ts'
import { isReadable, type ViewerRequest } from '../viewer/index.ts'
import type { Ask, Reply } from './ask.ts'

/** A viewer's line over HTTP. `playlists` is shared by all viewers; titles in `hidden` are not shown to them: they are storm's own. */
export function createAsk(options: {
  readonly connection: Connection
  readonly target: Pick<Target, 'hostHeader'>
  readonly playlists: PlaylistMemo
  readonly hidden: ReadonlySet<string>
}): Ask {
  const { connection, target, playlists, hidden } = options
  return {
    send(request, onReply) {
      const body = request.body === null ? null : JSON.stringify(request.body)
      const head = renderHead(target, { ...request, body })
      const { timeoutMs } = request
      connection.exchange({ head, body, keepBody: request.read !== 'bytes', timeoutMs }, (result) =>
        onReply(toReply(request, result, playlists, hidden)),
      )
    },
    sweep: () => connection.sweep(performance.now()),
    close: () => connection.close(),
  }
}

function toReply(
  request: ViewerRequest,
  result: ExchangeResult,
  playlists: PlaylistMemo,
  hidden: ReadonlySet<string>,
): Reply {
  if (!result.ok) {
    const { failure, why } = result
    return { ok: false, bytes: 0, failure: failure === 'timeout' ? { kind: failure } : { kind: failure, why } }
  }
  const { status, headers, body, bytes, tookMs } = result
  if (status < 200 || status > 299) {
    const { retryAfterMs } = headers
    return { ok: false, bytes, failure: { kind: 'status', status, code: readCode(body), retryAfterMs } }
  }
  if (request.read === 'bytes')
    return { ok: true, status, content: null, bytes, tookMs, cacheStatus: headers.cacheStatus }
  const content = readContent(request, body?.toString() ?? '', playlists, hidden)
  if (content === UNREADABLE || !isReadable(request, content))
    return { ok: false, bytes, failure: { kind: 'unreadable', why: `${request.kind}: not what the contract says` } }
  return { ok: true, status, content, bytes, tookMs, cacheStatus: headers.cacheStatus }
}

const UNREADABLE = Symbol('unreadable')

function readContent(
  request: ViewerRequest,
  text: string,
  playlists: PlaylistMemo,
  hidden: ReadonlySet<string>,
): unknown {
  if (request.read === 'main-playlist') return orUnreadable(playlists.main(text))
  if (request.read === 'media-playlist') return orUnreadable(playlists.media(text, toFile(request.path)))
  try {
    const content: unknown = text === '' ? null : JSON.parse(text)
    return request.kind === 'home' && hidden.size > 0 ? withoutTitles(content, hidden) : content
  } catch {
    return UNREADABLE
  }
}

function orUnreadable<T>(parsed: PlaylistResult<T>): T | typeof UNREADABLE {
  return parsed.ok ? parsed.playlist : UNREADABLE
}

/** `/v/<token>/<title>/<file>`: what the main playlist calls it. */
function toFile(path: string): string {
  return path.split('/').slice(4).join('/')
}

/** The home page without some titles; anything else stays as it is, for the viewer to judge. */
function withoutTitles(content: unknown, hidden: ReadonlySet<string>): unknown {
  const isHidden = (title: unknown): boolean => hidden.has(String((title as { id?: unknown } | null)?.id))
  const { hero, rails } = (content ?? {}) as { hero?: unknown; rails?: unknown }
  if (!Array.isArray(rails)) return content
  return {
    hero: isHidden(hero) ? null : hero,
    rails: rails.map((rail: { titles?: unknown } | null) =>
      Array.isArray(rail?.titles) ? { ...rail, titles: rail.titles.filter((title) => !isHidden(title)) } : rail,
    ),
  }
}

/** The stable code of a problem (RFC 9457), when the refusal carries one. */
function readCode(body: Buffer | null): string | null {
  if (body === null || body.byteLength === 0) return null
  try {
    const { code } = JSON.parse(body.toString()) as { code?: unknown }
    return typeof code === 'string' ? code : null
  } catch {
    return null
  }
}
