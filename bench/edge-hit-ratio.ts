import { LRUCache } from 'lru-cache'
import { createMemoryTier } from '../src/edge/memory/index.ts'
import { createTrace, type TraceOptions } from '../src/edge/memory/testing/traces.ts'
import type { BenchRow } from './report.ts'

const OBJECTS = 20_000
const OBJECT_BYTES = 4_096
const CACHED_BYTES = 2_000 * OBJECT_BYTES
const SEED = 20_231_023
const ZIPF: TraceOptions = {
  ...{ seed: SEED, requests: 200_000, objects: OBJECTS, exponent: 0.9 },
  ...{ scanEvery: 0, scanLength: 0 },
}
/** As many asked for once as popular ones, half a cache at a time: half of all requests cannot hit. */
const TRACES: Readonly<Record<string, TraceOptions>> = {
  'hit-ratio-zipf': ZIPF,
  'hit-ratio-scan': { ...ZIPF, scanEvery: 1_000, scanLength: 1_000 },
}

/** The memory tier's order of eviction beside the least recently used, both bounded by the same bytes, in this process. */
export function compareHitRatios(requests: number = ZIPF.requests): BenchRow[] {
  return Object.entries(TRACES).map(([metric, trace]) => {
    const keys = createTrace({ ...trace, requests }).map(
      (object) => `edge.example/films/${String(object).padStart(9, '0')}`,
    )
    const ours = ratioOfTier(keys)
    const theirs = ratioOfLru(keys)
    const detail = { requests, objects: OBJECTS, cachedPart: CACHED_BYTES / OBJECT_BYTES / OBJECTS, zipfExponent: 0.9 }
    return { metric, ours, unit: 'of requests', peer: 'lru', theirs, ratio: ours / theirs, detail }
  })
}

/** No overhead is charged on either side: the same objects fit, and only which of them stay differs. */
function ratioOfTier(keys: readonly string[]): number {
  const tier = createMemoryTier<null>({ bytesMax: CACHED_BYTES, entryOverheadBytes: 0 })
  for (const key of keys)
    if (tier.get(key) === undefined)
      tier.set(key, { meta: null, metaBytes: OBJECT_BYTES - key.length, tags: [], sizeBytes: null })
  return tier.statistics().hits / keys.length
}

function ratioOfLru(keys: readonly string[]): number {
  const lru = new LRUCache<string, true>({ maxSize: CACHED_BYTES, sizeCalculation: () => OBJECT_BYTES })
  let hits = 0
  for (const key of keys)
    if (lru.get(key)) hits += 1
    else lru.set(key, true)
  return hits / keys.length
}
