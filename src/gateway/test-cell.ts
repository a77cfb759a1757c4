import { createFilm, type Film } from '../../test/fixtures/film.ts'
import { openTestLog } from '../../test/fixtures/log.ts'
import {
  type CellConfig,
  type CloudEvent,
  type PathKeys,
  type ResolvedConfig,
  verifyPathToken,
} from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import { createPublisher } from '../hub/index.ts'
import { type Clock, DEFAULT_LIMITS, type Limits, type Logger, silentLogger, systemClock } from '../kernel/index.ts'
import { createViewerTokens } from '../services/accounts/index.ts'
import { createCatalog } from '../services/catalog/index.ts'
import {
  createEndedSessions,
  createPlayback,
  createSessionIds,
  createWantedSegments,
  refuseEnded,
} from '../services/playback/index.ts'
import { acceptSignals, createProgress } from '../services/signals/index.ts'
import { createGateway, type Gateway } from './index.ts'

export const CELLS: readonly CellConfig[] = [{ name: 'a', countries: ['US'] }, { name: 'b' }]
export const PATH_KEYS: PathKeys = { current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64url') } }
export const VIEWER_KEY: JsonWebKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  // RFC 8037, appendix A.
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
}

export type TestCell = {
  readonly gateway: Gateway
  readonly film: Film
  readonly log: LogPort
  /** A GET, or with a body a POST of it as JSON; with a token, as that viewer. */
  ask(path: string, options?: { token?: string; body?: unknown; headers?: Record<string, string> }): Promise<Response>
  /** A new viewer's token. */
  signIn(country?: string): Promise<string>
  /** Publishes and waits until the cell has heard it. */
  tell(events: readonly CloudEvent[]): Promise<void>
  close(): Promise<void>
}

export type TestCellOptions = {
  readonly log?: LogPort
  readonly cell?: string
  readonly limits?: Partial<Limits>
  readonly pathKeys?: () => PathKeys
  readonly signatures?: Partial<ResolvedConfig['signatures']>
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A cell in this process on the real embedded log: its own, unless it is given one to share. */
export async function openTestCell(options: TestCellOptions = {}): Promise<TestCell> {
  const { cell = 'b', clock = systemClock, logger = silentLogger } = options
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const own = options.log ? null : await openTestLog()
  const log = options.log ?? (own as NonNullable<typeof own>).log
  const publisher = createPublisher({ log, source: `cell-${cell}` })
  const catalog = createCatalog({ log, logger, limits })
  const progress = createProgress({ log, logger, limits })
  const sessionIds = createSessionIds(Buffer.alloc(32, 9))
  const sessions = createEndedSessions({ log, publisher, sessionIds, limits, logger, clock })
  const gateway = createGateway({
    cells: CELLS,
    version: '0.0.0',
    catalog,
    progress,
    tokens: await createViewerTokens({ key: VIEWER_KEY, limits, clock }),
    playback: refuseEnded(
      createPlayback({
        getListed: catalog.getListed,
        resumeMs: progress.resumeMs,
        publisher,
        sessionIds,
        pathKeys: options.pathKeys ?? (() => PATH_KEYS),
        signatures: { bindIpv4Bits: null, bindIpv6Bits: null, ...options.signatures },
        cell,
        limits,
        clock,
      }),
      sessions,
    ),
    sessions,
    wanted: createWantedSegments({ publisher, limits, logger, clock }),
    acceptSignals: (viewerId, signals) => acceptSignals({ publisher, source: `cell-${cell}` }, viewerId, signals),
    limits,
    logger,
    clock,
  })
  const hear = async (): Promise<void> =>
    void (await Promise.all([catalog.caughtUp(), progress.caughtUp(), sessions.caughtUp()]))
  const ask: TestCell['ask'] = async (path, { token, body, headers = {} } = {}) =>
    gateway(
      new Request(`http://cell${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    )
  await hear()
  return {
    gateway,
    film: createFilm('0123456789abcdef'),
    log,
    ask,
    async signIn(country = 'DE') {
      const answer = await ask('/v1/session', { body: { country, tier: 'free', platform: 'web' } })
      return ((await answer.json()) as { token: string }).token
    },
    async tell(events) {
      await publisher.publishMany(events)
      await hear()
    },
    async close() {
      gateway.close()
      await Promise.all([catalog.close(), progress.close(), sessions.close()])
      await own?.close()
    },
  }
}

/** What the token in a manifest's address says. */
export function tokenOf(manifestUrl: string): { text: string; check: ReturnType<typeof verifyPathToken> } {
  const text = /^\/v\/([^/]+)\//.exec(manifestUrl)?.[1] ?? ''
  return { text, check: verifyPathToken(PATH_KEYS, text, Date.now()) }
}

/** A clock that stands still until it is told. */
export function createTestClock(nowMs: number = Date.now()): Clock & { advance(ms: number): void } {
  let at = nowMs
  return {
    nowMs: () => at,
    elapsedMs: () => at,
    advance(ms) {
      at += ms
    },
  }
}
