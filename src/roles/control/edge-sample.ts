import type { EdgeMetrics, EdgeSample } from '../../contracts/index.ts'

/** The sums of a snapshot, small enough to keep many of them. */
export function toEdgeSample({ startedAtMs, requests, outcomes }: EdgeMetrics, atMs: number): EdgeSample {
  const sumOf = (belongs: (request: EdgeMetrics['requests'][number]) => boolean): number =>
    requests.reduce((sum, request) => sum + (belongs(request) ? request.count : 0), 0)
  return {
    atMs,
    startedAtMs,
    requests: sumOf(() => true),
    hits: sumOf(({ cache }) => cache === 'hit' || cache === 'revalidated'),
    stale: sumOf(({ cache }) => cache === 'stale'),
    misses: sumOf(({ cache }) => cache === 'miss' || cache === 'collapsed'),
    errors: sumOf(({ status }) => status === '5xx'),
    bytes: outcomes.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
