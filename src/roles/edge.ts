import { createEdge, openAccessLog } from '../edge/index.ts'
import { createDirectoryObjects } from '../engines/objects/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { Fault, systemClock } from '../kernel/index.ts'
import { createWireClient } from '../wire/index.ts'
import type { StartRole } from './context.ts'
import { serveMeter } from './meter-socket.ts'

/** The edge on the embedded engines: cells and log over this machine's sockets, objects from its directory. */
export const start: StartRole = async (context) => {
  const { config, layout, logger, pathKeys, version } = context
  if (!pathKeys) throw new Fault('config-invalid', 'an edge needs the path keys to check signatures; it was given none')
  const { limits } = config
  const store = createStoreClient({ path: layout.storeSocket, limits, logger })
  const cells = config.cells.map(({ name }) => ({
    name,
    client: createWireClient({ path: layout.cellSocket(name), limits }),
  }))
  const accessLog = openAccessLog({ target: config.edge.accessLog, limits, clock: systemClock, logger })
  const edge = createEdge({
    port: context.port,
    cells,
    log: store.log,
    objects: createDirectoryObjects({ root: layout.objectsDirectory }),
    pathKeys,
    webDirectory: layout.webDirectory,
    exemptNetworks: config.edge.exemptNetworks,
    limits,
    logger,
    version,
    ...(accessLog ? { onExchange: accessLog.record } : {}),
  })
  const meter = serveMeter({
    path: layout.roleSocket(context.name),
    meter: edge.meter,
    labels: { edge: context.name },
    limits,
    logger,
  })
  return {
    port: edge.port,
    health: () => ({ faults: edge.faults() }),
    async drain() {
      await edge.close()
      await meter.close()
      await accessLog?.close()
      for (const { client } of cells) client.close()
      await store.close()
    },
  }
}
