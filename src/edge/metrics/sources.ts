import type { EdgeMetrics } from '../../contracts/index.ts'
import type { MemoryStatistics } from '../memory/index.ts'
import type { Origins, SharedFetches } from '../origin/index.ts'
import type { HttpServer } from '../server/options.ts'

/** Parts of an edge that know their own figures; one that an edge does not have is left out. */
export type MeterSources = {
  readonly memory?: () => MemoryStatistics & { readonly bytesMax: number }
  readonly fetches?: SharedFetches<unknown>['stats']
  readonly origins?: Origins['health']
  /** Every cell, and whether it is connected. */
  readonly cells?: () => readonly { readonly name: string; readonly connected: boolean }[]
  readonly server?: Pick<HttpServer, 'connections' | 'inFlight' | 'refusals'>
}

export type SourceMetrics = Pick<EdgeMetrics, 'memory' | 'fetches' | 'origins' | 'cellLinks' | 'server'>

/** How all parts are at this moment. */
export function readSources({ memory, fetches, origins, cells, server }: MeterSources): SourceMetrics {
  return {
    memory: memory ? toMemory(memory()) : null,
    fetches: fetches?.() ?? null,
    // Of an origin's address, only who it is: no user, no password, no path.
    origins: origins ? origins().map(({ url, health }) => ({ name: hostOf(url), state: health.state })) : null,
    cellLinks: cells ? cells().map(({ name, connected }) => ({ name, connected })) : null,
    server: server
      ? { connections: server.connections(), inFlight: server.inFlight(), refusals: { ...server.refusals() } }
      : null,
  }
}

function toMemory(told: MemoryStatistics & { readonly bytesMax: number }): NonNullable<EdgeMetrics['memory']> {
  const { bytes, bytesMax, entries, slices, admitted, refused, evicted, purged } = told
  return { bytes, bytesMax, entries, slices, admitted, refused, evicted, purged }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}
