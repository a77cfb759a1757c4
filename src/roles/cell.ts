import { hkdfSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDirectoryObjects } from '../engines/objects/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { type Caller, createGateway } from '../gateway/index.ts'
import { createArchiveReader, createPublisher } from '../hub/index.ts'
import { Fault } from '../kernel/index.ts'
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
import {
  createWireServer,
  decodeHttpRequest,
  encodeHttpResponse,
  type WireCall,
  type WireServer,
} from '../wire/index.ts'
import type { RoleContext, StartRole } from './context.ts'

/** How long one attempt to catch up may take before it is begun anew; the role is unhealthy, not dead, meanwhile. */
const CATCH_UP_MS = 60_000
const CATCH_UP_PAUSE_MS = 100
/** Of `drainMs`, for requests under way; the rest is for closing. */
const DRAIN_SHARE = 0.8
/** Positions only say where to go on: no reason to keep viewers waiting for long. */
const PROGRESS_CATCH_UP_MS = 5_000

/**
 * A cell: the gateway and the viewers' services, served on the cell's socket to the edge. Keeps nothing but views in
 * memory, from control's snapshots and the log, so it goes on answering home pages, titles and media while the store is away. Its socket opens once the
 * catalogue is there: until then another cell answers, instead of this one denying titles it has not heard of yet.
 */
export const start: StartRole = async (context) => {
  const { name, config, layout, logger, version } = context
  const { cell, viewerKey, pathKeys } = secretsOf(context)
  const { limits } = config
  const store = createStoreClient({ path: layout.storeSocket, limits, logger })
  const { log } = store
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  const archive = createArchiveReader({ log, objects, limits, logger })
  const catalog = createCatalog({ log, logger, limits, snapshots: { objects, isWriter: false }, archive })
  const progress = createProgress({ log, logger, limits })
  const publisher = createPublisher({ log, source: name })
  const sessionIds = createSessionIds(toSessionSecret(viewerKey))
  const sessions = createEndedSessions({ log, publisher, sessionIds, limits, logger })
  const tokens = await createViewerTokens({ key: viewerKey, limits })
  const gateway = createGateway({
    cells: config.cells,
    version,
    catalog,
    progress,
    tokens,
    playback: refuseEnded(
      createPlayback({
        getListed: catalog.getListed,
        resumeMs: progress.resumeMs,
        publisher,
        sessionIds,
        pathKeys,
        signatures: config.signatures,
        cell,
        limits,
      }),
      sessions,
    ),
    sessions,
    wanted: createWantedSegments({ publisher, limits, logger }),
    acceptSignals: (viewerId, signals) => acceptSignals({ publisher, source: name }, viewerId, signals),
    limits,
    logger,
  })
  const serve = (): WireServer =>
    createWireServer({
      path: layout.cellSocket(cell),
      limits,
      logger,
      // The signal is made only when someone asks for it, which nothing but a held segment does.
      onCall: async (payload, call) => encodeHttpResponse(await gateway(decodeHttpRequest(payload), toCaller(call))),
    })

  let server: WireServer | null = null
  let draining = false
  const catchUp = async (): Promise<void> => {
    // Without the ended sessions it would renew what was revoked.
    const known = () => Promise.all([catalog, sessions].map((view) => view.caughtUp({ timeoutMs: CATCH_UP_MS })))
    while (!draining && !(await succeeds(known()))) await sleep(CATCH_UP_PAUSE_MS)
    if (draining) return
    if (!(await succeeds(progress.caughtUp({ timeoutMs: PROGRESS_CATCH_UP_MS }))))
      logger.warn('positions are not all known yet; serving without the latest', { behind: progress.lag() })
    if (draining) return
    server = serve()
    logger.info('serving', { titles: catalog.listed().length })
  }
  void catchUp()

  return {
    port: null,
    health() {
      const faults: string[] = []
      if (!store.connected()) faults.push('the store is not connected: browsing and playing go on, pressing play waits')
      if (!server) faults.push(`the catalogue is not caught up yet: ${catalog.lag()} records behind`)
      return { faults }
    },
    async drain() {
      draining = true
      const closed = server?.close({ timeoutMs: limits.drainMs * DRAIN_SHARE })
      // Ends the requests held for a segment, which the server would wait for.
      await catalog.close()
      await closed
      gateway.close()
      await Promise.all([progress.close(), sessions.close()])
      await store.close()
    },
  }
}

function toCaller(call: WireCall): Caller {
  return {
    bodyHeld: true,
    get signal() {
      return call.signal
    },
  }
}

/** The same in every cell, which all have the viewers' key, and of no use for anything else (RFC 5869). */
function toSessionSecret({ d }: JsonWebKey): Uint8Array {
  if (!d) throw new Fault('role-context-invalid', 'a cell needs the private part, "d", of viewerKey, got a public key')
  return new Uint8Array(hkdfSync('sha256', Buffer.from(d, 'base64url'), '', 'tentpole session ids', 32))
}

function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  )
}

type Secrets = {
  readonly cell: string
  readonly viewerKey: JsonWebKey
  readonly pathKeys: NonNullable<RoleContext['pathKeys']>
}

function secretsOf({ cell, viewerKey, pathKeys }: RoleContext): Secrets {
  if (cell !== null && viewerKey !== null && pathKeys !== null) return { cell, viewerKey, pathKeys }
  const missing = Object.entries({ cell, viewerKey, pathKeys }).flatMap(([name, value]) =>
    value === null ? [name] : [],
  )
  throw new Fault('role-context-invalid', `a cell needs ${missing.join(', ')}; whoever starts it must give them`)
}
