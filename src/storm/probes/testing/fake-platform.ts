import { type PathKeys, signPathToken, titleOf, toTitlePrefix, verifyPathToken } from '../../../contracts/index.ts'
import { createId } from '../../../kernel/index.ts'

/** What a fake platform does wrong; nothing when all are absent. Read at each request, so that a test can change its mind. */
export type Misbehaviour = {
  /** Media files are served to whoever asks. */
  unsigned?: boolean
  /** Status of every media file of a title, by title id. */
  mediaStatus?: Record<string, number>
  /** Status of every media file whatever the title. */
  allMediaStatus?: number
  /** Titles whose segments are cut short. */
  truncated?: string[]
  /** Titles that are gone, which home goes on to list. */
  keepsListing?: boolean
  /** Withdrawn titles are still served. */
  servesWithdrawn?: 'media' | 'playback'
  /** What a viewer's position becomes. */
  toResumeMs?: (positionMs: number, looks: number) => number | null
}

export type FakePlatform = {
  readonly url: string
  readonly misbehaviour: Misbehaviour
  readonly titles: readonly string[]
  withdraw(titleId: string): void
  requests(): number
  stop(): Promise<void>
}

const KEYS: PathKeys = { current: 'k', keys: { k: Buffer.alloc(32, 7).toString('base64url') } }
const SEGMENTS = 6
const DURATION_MS = 12_000

/** Just enough of a platform to be probed: one process, two cells by country, titles of two renditions, in memory. */
export function startFakePlatform(titles: readonly string[], misbehaviour: Misbehaviour = {}): FakePlatform {
  const withdrawn = new Set<string>()
  const positions = new Map<string, { positionMs: number; looks: number }>()
  let requests = 0

  const card = (id: string) => ({
    id,
    name: `Film ${id}`,
    description: '',
    durationMs: DURATION_MS,
    posterUrl: null,
    state: 'published',
    createdAtMs: 0,
    resumeMs: null,
  })
  const session = async (request: Request): Promise<Response> => {
    const { country } = (await request.json()) as { country: string }
    const viewerId = createId()
    const cell = country === 'US' ? 'a' : 'b'
    return Response.json({ viewerId, token: `${viewerId}.${cell}`, expiresAtMs: Date.now() + 60_000, cell })
  }
  const home = (): Response => {
    const listed = titles.filter((id) => misbehaviour.keepsListing || !withdrawn.has(id)).map(card)
    return Response.json({ hero: listed[0] ?? null, rails: [{ id: 'new', name: 'New', titles: listed }] })
  }
  const title = (request: Request, id: string): Response => {
    const viewer = viewerOf(request)
    const known = positions.get(`${viewer} ${id}`)
    if (known) known.looks += 1
    const { toResumeMs = (positionMs) => positionMs } = misbehaviour
    const resumeMs = known ? toResumeMs(known.positionMs, known.looks) : null
    return withdrawn.has(id)
      ? problem(410, 'title-withdrawn')
      : Response.json({ ...card(id), resumeMs, captions: [], heights: [240] })
  }
  const playback = async (request: Request): Promise<Response> => {
    const { titleId } = (await request.json()) as { titleId: string }
    if (withdrawn.has(titleId) && misbehaviour.servesWithdrawn !== 'playback') return problem(410, 'title-withdrawn')
    const sessionId = createId()
    const token = signPathToken(KEYS, {
      prefix: toTitlePrefix(titleId),
      sessionId,
      cell: 'a',
      expiresAtS: Math.ceil(Date.now() / 1000) + 60,
      network: null,
    })
    return Response.json({
      sessionId,
      manifestUrl: `/v/${token}/${titleId}/main.m3u8`,
      heartbeatMs: 1_000,
      expiresAtMs: Date.now() + 60_000,
      resumeMs: 0,
      durationMs: DURATION_MS,
    })
  }
  const signals = async (request: Request): Promise<Response> => {
    const { signals } = (await request.json()) as { signals: { titleId: string; positionMs: number }[] }
    for (const { titleId, positionMs } of signals)
      positions.set(`${viewerOf(request)} ${titleId}`, { positionMs, looks: 0 })
    return Response.json({ accepted: signals.length }, { status: 202 })
  }
  const media = (path: string): Response => {
    const [, , token = '', titleId = '', ...rest] = path.split('/')
    const check = verifyPathToken(KEYS, token, Date.now())
    if (!misbehaviour.unsigned && !(check.ok && titleOf(check.token) === titleId))
      return problem(403, 'token-bad-signature')
    if (withdrawn.has(titleId) && misbehaviour.servesWithdrawn !== 'media') return problem(410, 'title-withdrawn')
    const file = rest.join('/')
    const status = misbehaviour.allMediaStatus ?? misbehaviour.mediaStatus?.[titleId]
    if (status !== undefined) return problem(status, `status-${status}`)
    const bytes = fileOf(file)
    if (bytes === null) return problem(404, 'file-not-found')
    const isShort = file.endsWith('.m4s') && misbehaviour.truncated?.includes(titleId)
    return new Response(isShort && typeof bytes !== 'string' ? bytes.subarray(0, -3) : bytes)
  }

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      requests += 1
      const { pathname } = new URL(request.url)
      if (pathname === '/v1/session') return session(request)
      if (pathname === '/v1/home') return home()
      if (pathname === '/v1/playback') return playback(request)
      if (pathname === '/v1/signals') return signals(request)
      if (pathname.startsWith('/v1/titles/')) return title(request, pathname.slice('/v1/titles/'.length))
      return pathname.startsWith('/v/') ? media(pathname) : problem(404, 'route-not-found')
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    misbehaviour,
    titles,
    withdraw: (titleId) => void withdrawn.add(titleId),
    requests: () => requests,
    stop: () => server.stop(true),
  }
}

function fileOf(file: string): string | Uint8Array<ArrayBuffer> | null {
  if (file === 'main.m3u8')
    return [
      '#EXTM3U',
      '#EXT-X-STREAM-INF:BANDWIDTH=1',
      'v240.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=2',
      'v360.m3u8',
      '',
    ].join('\n')
  const track = /^(v240|v360)[./]/.exec(file)?.[1]
  if (track === undefined) return null
  if (file === `${track}.m3u8`)
    return [
      '#EXTM3U',
      `#EXT-X-MAP:URI="${track}/init.mp4"`,
      ...Array.from({ length: SEGMENTS }, (_, at) => `#EXTINF:2,\n${track}/${at}.m4s`),
      '#EXT-X-ENDLIST',
      '',
    ].join('\n')
  return file.endsWith('init.mp4') ? boxes(['ftyp', 'moov']) : boxes(['moof', 'mdat'])
}

/** Boxes of 24 bytes each. */
export function boxes(types: readonly string[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(types.length * 24)
  for (const [at, type] of types.entries()) {
    new DataView(bytes.buffer).setUint32(at * 24, 24)
    bytes.set(new TextEncoder().encode(type), at * 24 + 4)
  }
  return bytes
}

function viewerOf(request: Request): string {
  return (request.headers.get('authorization') ?? '').replace(/^Bearer /, '').split('.')[0] ?? ''
}

function problem(status: number, code: string): Response {
  return Response.json({ status, code }, { status, headers: { 'content-type': 'application/problem+json' } })
}
