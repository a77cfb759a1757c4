import { describeError } from '../../src/kernel/index.ts'
import { freePort } from '../edge-origin.ts'
import type { BenchMissing } from '../report.ts'
import type { Peer, PeerPlace, Running } from './server.ts'

/** Starts each on a free port. Who cannot start is missing with its reason, and the others are measured without it. */
export async function startAll(options: {
  readonly metric: string
  readonly peers: readonly Peer[]
  readonly place: Omit<PeerPlace, 'port'>
}): Promise<{ readonly servers: readonly Running[]; readonly missing: readonly BenchMissing[] }> {
  const servers: Running[] = []
  const missing: BenchMissing[] = []
  for (const peer of options.peers)
    try {
      servers.push(await peer.start({ ...options.place, port: freePort() }))
    } catch (error) {
      missing.push({ metric: `${options.metric} of ${peer.name}`, why: describeError(error) })
    }
  return { servers, missing }
}
