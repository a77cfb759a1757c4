import { join } from 'node:path'
import { createDirectoryObjects } from '../engines/objects/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { createArchiveReader, createPublisher, createRelay, loadHubModules } from '../hub/index.ts'
import { Fault, systemClock } from '../kernel/index.ts'
import { createCatalog } from '../services/catalog/index.ts'
import { createTitles } from '../services/titles/index.ts'
import { createUploads } from '../services/uploads/index.ts'
import type { RoleContext, StartRole } from './context.ts'
import { createControlApp } from './control/app.ts'
import { createAuth } from './control/auth.ts'
import { watchEdge } from './control/edge-watch.ts'
import { createHub } from './control/hub/create-hub.ts'
import { isLongHubRequest } from './control/hub/index.ts'
import { createLive } from './control/live.ts'
import { watchStatus } from './control/platform-status.ts'
import { fromThrown, toProblem } from './control/problem.ts'
import { toStaffTitle } from './control/staff-title.ts'

/** The log says at least twice a second that it lives; silence for longer than this is a fault. */
const SILENCE_MS = 5_000
/** So far behind, staff would be shown the past. */
const LAG_RECORDS_MAX = 1_000
/** Of `drainMs`, for requests under way; an upload that takes longer is resumed with the next control. */
const DRAIN_SHARE = 0.5

/** Control on the embedded engines: the staff API and uploads, the console's files, and one of the outbox relays. */
export const start: StartRole = async (context) => {
  const { config, layout, logger, name, version } = context
  const { operatorToken, metricsToken, watchUrl } = secretsOf(context)
  const { limits } = config
  const loaded = await loadHubModules(config.hub.modules)
  const store = createStoreClient({ path: layout.storeSocket, limits, logger })
  const relay = createRelay({ tables: store.tables, log: store.log, owner: name, logger })
  const titles = createTitles({ tables: store.tables, source: name, limits })
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  const archive = createArchiveReader({ log: store.log, objects, limits, logger })
  // Cells start from what control writes.
  const snapshots = { objects, isWriter: true }
  const catalog = createCatalog({ log: store.log, logger, limits, snapshots, archive })
  const uploads = await createUploads({
    directory: layout.uploadsDirectory,
    objects,
    titles,
    limits,
    logger,
    toProblem,
  })
  const status = watchStatus({ path: layout.supervisorSocket, limits, logger })
  const edge = watchEdge({ path: layout.roleSocket('edge'), limits, clock: systemClock, logger })
  const live = createLive({
    log: store.log,
    listTitles: async () => (await titles.list()).map((row) => toStaffTitle(row, catalog.get(row.id), watchUrl)),
    async getTitle(titleId) {
      const row = await titles.get(titleId)
      return row && toStaffTitle(row, catalog.get(titleId), watchUrl)
    },
    status: status.current,
    limits,
    logger,
  })
  catalog.onChange((title) => live.titleChanged(title.id))
  status.onChange(live.statusChanged)

  const faults = (): string[] => {
    const sentences: [boolean, string][] = [
      [!store.connected(), 'the store is not connected'],
      [relay.silentForMs() > SILENCE_MS, 'the outbox relay does not reach log and tables'],
      [catalog.silentForMs() > SILENCE_MS, 'the catalogue view does not hear the log'],
      [catalog.lag() > LAG_RECORDS_MAX, `the catalogue view is ${catalog.lag()} records behind`],
    ]
    return sentences.flatMap(([isFault, sentence]) => (isFault ? [sentence] : []))
  }
  const auth = createAuth({ operatorToken, metricsToken, limits, clock: systemClock })
  const hub = createHub({
    ...{ log: store.log, tables: store.tables, objects, loaded, auth, name, limits, logger },
    webhookNetworks: config.hub.webhookNetworks,
    // There is no way to close a connection at once; the server looks every few seconds.
    cut: (request, idleMs = 0) =>
      server.timeout(request, Math.min(SECONDS_MAX, Math.max(1, Math.ceil(idleMs / 1_000)))),
    clock: systemClock,
  })
  const app = createControlApp({
    auth,
    hub: hub.ports,
    titles,
    heard: catalog.get,
    uploads,
    publisher: createPublisher({ log: store.log, source: name }),
    live,
    status: status.current,
    edge,
    faults,
    consoleDirectory: join(layout.webDirectory, 'console'),
    watchUrl,
    version,
    limits,
    logger,
  })
  const server = Bun.serve({
    port: context.port,
    development: false,
    // Larger than any body taken, so that our own refusal, which says why, is what a client gets.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      if (!isLong(request)) return app(request)
      // Uploads and tails have deadlines of their own; the server's would cut the slow and honest, and is for strangers.
      server.timeout(request, 0)
      const response = await app(request)
      if (STRANGER.has(response.status)) server.timeout(request, STRANGER_SECONDS)
      return response
    },
    error: (error) => fromThrown(error, logger),
  })

  return {
    port: server.port ?? null,
    health: () => ({ faults: faults() }),
    async drain() {
      await live.close()
      // Its streams would keep the server from stopping.
      const hubClosed = hub.close()
      await within(server.stop(false), limits.drainMs * DRAIN_SHARE)
      await server.stop(true)
      uploads.close()
      status.close()
      edge.close()
      await Promise.all([relay.close(), catalog.close(), hubClosed])
      await store.close()
    },
  }
}

type Given = { readonly operatorToken: string; readonly metricsToken: string; readonly watchUrl: string }

function secretsOf({ operatorToken, metricsToken, watchUrl }: RoleContext): Given {
  if (operatorToken && metricsToken && watchUrl) return { operatorToken, metricsToken, watchUrl }
  throw new Fault(
    'role-context-invalid',
    'control needs operatorToken, metricsToken and watchUrl; whoever starts it must give them',
  )
}

/** Answers to those who may not do what takes long. */
const STRANGER: ReadonlySet<number> = new Set([401, 403, 404, 421])
const STRANGER_SECONDS = 10
/** More than these the server does not count. */
const SECONDS_MAX = 255

function isLong(request: Request): boolean {
  const { pathname } = new URL(request.url)
  return (
    pathname === '/uploads' ||
    pathname.startsWith('/uploads/') ||
    pathname === '/api/events' ||
    isLongHubRequest(pathname)
  )
}

async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  const timer = Promise.withResolvers<void>()
  const handle = setTimeout(timer.resolve, timeoutMs)
  await Promise.race([work, timer.promise])
  clearTimeout(handle)
}
