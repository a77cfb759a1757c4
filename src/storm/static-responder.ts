import { fileURLToPath } from 'node:url'
import { DEFAULT_LIMITS, describeError, Fault } from '../kernel/index.ts'

/**
 * Answers the viewer API and the media of films that do not exist, as fast as this runtime can: what is measured
 * against it is whoever asks. Run as a process of its own: `bun src/storm/static-responder.ts '<options as JSON>'`; it prints
 * `{"port":N}` when it listens, and ends with its standard input.
 */
export type ResponderOptions = {
  readonly titles: number
  readonly segmentMs: number
  readonly filmMs: number
  readonly segmentBytes: number
  /** With both it answers nothing for the last `stallForMs` of every `stallEveryMs`, counted from its start; all that was asked meanwhile is answered when the stall ends. */
  readonly stallEveryMs?: number
  readonly stallForMs?: number
}

export type Responder = { readonly port: number; stop(): Promise<void> }

type Handler = (request: Bun.BunRequest) => Response | Promise<Response>
type Routes = Record<string, Response | Handler>

const RENDITIONS = [
  { track: 'v240', width: 426, height: 240, bandwidthBps: 700_000 },
  { track: 'v480', width: 854, height: 480, bandwidthBps: 1_800_000 },
  { track: 'v720', width: 1280, height: 720, bandwidthBps: 4_500_000 },
] as const
const AUDIO_TRACK = 'a0'
const TRACKS: readonly string[] = [...RENDITIONS.map(({ track }) => track), AUDIO_TRACK]
const INIT_BYTES = 800
const POSTER_BYTES = 20_000
const HOME_TITLES = 20
const SESSION_MS = 3_600_000
const HIT = 'responder; hit'
const CREATED_AT_MS = Date.UTC(2026, 0, 1)
const START_WAIT_MS = 15_000

export function startResponder(options: ResponderOptions): Responder {
  checkOptions(options)
  const titleIds = Array.from({ length: options.titles }, (_, index) => toTitleId(index))
  const routes: Routes = { ...apiRoutes(options, titleIds), ...mediaRoutes(options, titleIds) }
  const stall = toStall(options)
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    routes: stall ? stalling(routes, stall) : routes,
    fetch: () => problem(404, 'route-not-found'),
  })
  return { port: server.port ?? 0, stop: () => server.stop(true) }
}

/**
 * The same in a process of its own, which shares no event loop with whoever measures against it, and goes when this one goes,
 * however that happens. Fault `responder-not-started`.
 */
export async function spawnResponder(options: ResponderOptions): Promise<Responder> {
  const child = Bun.spawn(
    [process.execPath, '--no-install', fileURLToPath(import.meta.url), JSON.stringify(options)],
    // A terminal's Ctrl-C is for whoever measures.
    { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit', detached: true },
  )
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  const late = setTimeout(() => child.kill('SIGKILL'), START_WAIT_MS)
  try {
    const { value } = await child.stdout.getReader().read()
    const { port } = JSON.parse(new TextDecoder().decode(value)) as { port: number } // its one line
    return { port, stop }
  } catch (error) {
    await stop()
    throw new Fault(
      'responder-not-started',
      `the static responder did not say where it listens: ${describeError(error)}; see what it printed above`,
      { cause: error },
    )
  } finally {
    clearTimeout(late)
  }
}

/** `index` is its rank: the first is the premiere. */
export function toTitleId(index: number): string {
  return (index + 1).toString(16).padStart(16, '0')
}

function apiRoutes(options: ResponderOptions, titleIds: readonly string[]): Routes {
  const cards = titleIds.map((id, index) => ({
    id,
    name: `Film ${index + 1}`,
    description: 'A film that is only a length.',
    durationMs: options.filmMs,
    posterUrl: `/art/${id}/poster.jpg`,
    state: 'published',
    createdAtMs: CREATED_AT_MS,
    resumeMs: null,
  }))
  const home = { hero: cards[0], rails: [{ id: 'new', name: 'New', titles: cards.slice(0, HOME_TITLES) }] }
  const heights = RENDITIONS.map(({ height }) => height)
  const known = new Set(titleIds)
  let sessions = 0
  return {
    '/v1/home': Response.json(home),
    ...Object.fromEntries(
      cards.map((card) => [`/v1/titles/${card.id}`, Response.json({ ...card, captions: [], heights })]),
    ),
    '/v1/titles/*': problem(404, 'title-not-found'),
    '/v1/session': () => {
      sessions += 1
      const expiresAtMs = Date.now() + SESSION_MS
      const viewerId = `viewer-${sessions}`
      return Response.json({ viewerId, token: `token-${sessions}`, expiresAtMs, cell: `cell-${'ab'[sessions % 2]}` })
    },
    '/v1/playback': async (request) => toPlayback(await request.text(), known, options),
    '/v1/playback/:session/heartbeat': () => Response.json({ token: `media-${crypto.randomUUID()}`, ...toExpiry() }),
    '/v1/signals': async (request) => Response.json({ accepted: countSignals(await request.text()) }, { status: 202 }),
  }
}

function toPlayback(body: string, titleIds: ReadonlySet<string>, { filmMs }: ResponderOptions): Response {
  const titleId = /"titleId":"([^"]*)"/.exec(body)?.[1] ?? ''
  if (!titleIds.has(titleId)) return problem(404, 'title-not-found')
  const sessionId = crypto.randomUUID()
  return Response.json({
    sessionId,
    manifestUrl: `/v/media-${sessionId}/${titleId}/main.m3u8`,
    ...toExpiry(),
    resumeMs: 0,
    durationMs: filmMs,
  })
}

function toExpiry(): { heartbeatMs: number; expiresAtMs: number } {
  return { heartbeatMs: DEFAULT_LIMITS.heartbeatPeriodMs, expiresAtMs: Date.now() + DEFAULT_LIMITS.pathTokenTtlMs }
}

function countSignals(body: string): number {
  return body.split('"sessionId"').length - 1
}

/** Static answers: whatever the token is, and whatever the number of the segment. */
function mediaRoutes(options: ResponderOptions, titleIds: readonly string[]): Routes {
  const segment = bytesAnswer(options.segmentBytes, 'video/mp4')
  const init = bytesAnswer(INIT_BYTES, 'video/mp4')
  const main = playlistAnswer(renderMain())
  const routes: Routes = {}
  for (const id of titleIds) {
    const directory = `/v/:token/${id}`
    routes[`${directory}/main.m3u8`] = main.clone()
    for (const track of TRACKS) {
      routes[`${directory}/${track}.m3u8`] = playlistAnswer(renderMedia(track, options))
      routes[`${directory}/${track}/init.mp4`] = init.clone()
      routes[`${directory}/${track}/:segment`] = segment.clone()
    }
    routes[`/art/${id}/poster.jpg`] = bytesAnswer(POSTER_BYTES, 'image/jpeg')
  }
  return routes
}

function renderMain(): string {
  const variants = RENDITIONS.flatMap(({ track, width, height, bandwidthBps }) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidthBps},CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=${width}x${height},AUDIO="audio"`,
    `${track}.m3u8`,
  ])
  const audio = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,URI="${AUDIO_TRACK}.m3u8"`
  return ['#EXTM3U', '#EXT-X-VERSION:7', audio, ...variants, ''].join('\n')
}

function renderMedia(track: string, { segmentMs, filmMs }: ResponderOptions): string {
  const lines = Array.from({ length: Math.ceil(filmMs / segmentMs) }, (_, index) => {
    const durationMs = Math.min(segmentMs, filmMs - index * segmentMs)
    return `#EXTINF:${(durationMs / 1000).toFixed(6)},\n${track}/${index}.m4s`
  })
  const head = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${Math.ceil(segmentMs / 1000)}`]
  const map = ['#EXT-X-PLAYLIST-TYPE:VOD', `#EXT-X-MAP:URI="${track}/init.mp4"`]
  return [...head, ...map, ...lines, '#EXT-X-ENDLIST', ''].join('\n')
}

function playlistAnswer(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/vnd.apple.mpegurl' } })
}

function bytesAnswer(bytes: number, contentType: string): Response {
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType, 'cache-status': HIT } })
}

function problem(status: number, code: string): Response {
  const body = { type: 'about:blank', title: code, status, code, detail: 'Not one of the films there are.' }
  return Response.json(body, { status, headers: { 'content-type': 'application/problem+json' } })
}

export type Stall = { readonly everyMs: number; readonly forMs: number }

/** How long from `elapsedMs` the stall lasts that it lies in; 0 in none. */
export function stallLeftMs({ everyMs, forMs }: Stall, elapsedMs: number): number {
  const intoMs = elapsedMs % everyMs
  return intoMs < everyMs - forMs ? 0 : everyMs - intoMs
}

/** The same routes, whose answers wait for the end of the stall that a request falls into. One timer releases them all. */
function stalling(routes: Routes, stall: Stall): Routes {
  const startMs = performance.now()
  let waiting: (() => void)[] = []
  const release = (): void => {
    const released = waiting
    waiting = []
    for (const resolve of released) resolve()
  }
  const pass = (leftMs: number): Promise<void> => {
    if (waiting.length === 0) setTimeout(release, leftMs)
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    return promise
  }
  const wrap = (route: Response | Handler): Handler => {
    const answer: Handler = route instanceof Response ? () => route.clone() : route
    return (request) => {
      const leftMs = stallLeftMs(stall, performance.now() - startMs)
      return leftMs === 0 ? answer(request) : pass(leftMs).then(() => answer(request))
    }
  }
  return Object.fromEntries(Object.entries(routes).map(([path, route]) => [path, wrap(route)]))
}

function toStall({ stallEveryMs, stallForMs }: ResponderOptions): Stall | null {
  return stallEveryMs === undefined || stallForMs === undefined ? null : { everyMs: stallEveryMs, forMs: stallForMs }
}

function checkOptions(options: ResponderOptions): void {
  const { stallEveryMs = 2, stallForMs = 1 } = options
  const faults = [
    ...(['titles', 'segmentMs', 'filmMs', 'segmentBytes'] as const)
      .filter((name) => !(Number.isInteger(options[name]) && options[name] > 0))
      .map((name) => `${name}: expected a whole number above 0, got ${options[name]}`),
    ...((options.stallEveryMs === undefined) === (options.stallForMs === undefined)
      ? []
      : ['stallEveryMs and stallForMs: expected both or neither']),
    ...(stallForMs > 0 && stallForMs < stallEveryMs
      ? []
      : [`stallForMs: expected more than 0 and less than stallEveryMs, got ${stallForMs} of ${stallEveryMs}`]),
  ]
  if (faults.length > 0) throw new Error(`the responder cannot start: ${faults.join('; ')}`)
}

if (import.meta.main) {
  // What is missing or wrong in it is told by `checkOptions`.
  const options = JSON.parse(process.argv[2] ?? '{}') as ResponderOptions
  console.log(JSON.stringify({ port: startResponder(options).port }))
  for await (const _ of Bun.stdin.stream()) {
    // Nothing is said there: only its end counts, which comes also when whoever started this was killed.
  }
  process.exit(0)
}
