import { askEach } from './closed-loop.ts'
import { type Origin, toOriginPath } from './edge-origin.ts'
import type { Running } from './peers/server.ts'
import type { BenchRow } from './report.ts'

export const COALESCE_METRIC = 'coalesce-1000-origin-fetches'
const COLD_BYTES = 20_000

/** A crowd asks at once for what nobody has, each on a connection of its own; the origin answers when all of them have asked. */
export async function coalesce(edge: Running, origin: Origin, crowd: number): Promise<BenchRow> {
  const path = toOriginPath('cold', COLD_BYTES, 'crowd')
  const { bodyBytes } = await askEach({
    port: edge.port,
    addresses: Array.from({ length: crowd }, (_, viewer) => edge.address(path, viewer)),
    connections: crowd,
    onAllAsking: () => origin.release(path),
  })
  if (bodyBytes !== crowd * COLD_BYTES)
    throw new Error(`expected ${crowd} answers of ${COLD_BYTES} bytes, got ${bodyBytes} bytes in all`)
  return { metric: COALESCE_METRIC, ours: origin.fetches(path), unit: 'fetches', detail: { crowd } }
}
