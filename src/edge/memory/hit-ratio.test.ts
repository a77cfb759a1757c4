import { expect, test } from 'bun:test'
import { LRUCache } from 'lru-cache'
import { createTrace, type TraceOptions } from './testing/traces.ts'
import { createMemoryTier } from './tier.ts'

const OBJECTS = 20_000
const OBJECT_BYTES = 4_096
const CACHED_OBJECTS = 2_000
const SEED = 20_231_023

/** Both caches hold the same number of objects of one charge, so that only the order of eviction differs. */
const keyOf = (object: number): string => `edge.example/films/${String(object).padStart(9, '0')}`

const ratioOfTier = (keys: readonly string[]): number => {
  const bytesMax = CACHED_OBJECTS * OBJECT_BYTES
  const tier = createMemoryTier<null>({ bytesMax, entryOverheadBytes: 0 })
  for (const key of keys) {
    if (tier.get(key) === undefined)
      tier.set(key, { meta: null, metaBytes: OBJECT_BYTES - key.length, tags: [], sizeBytes: null })
  }
  return tier.statistics().hits / keys.length
}

const ratioOfLru = (keys: readonly string[]): number => {
  const lru = new LRUCache<string, true>({ max: CACHED_OBJECTS })
  let hits = 0
  for (const key of keys) {
    if (lru.get(key)) hits += 1
    else lru.set(key, true)
  }
  return hits / keys.length
}

const zipf = { seed: SEED, requests: 200_000, objects: OBJECTS, scanEvery: 0, scanLength: 0 }
/** As many scanned as popular, half a cache at a time, so that half of all requests cannot hit. */
const scans = { ...zipf, scanEvery: 1_000, scanLength: 1_000 }

const CASES: { name: string; trace: TraceOptions; pointsMin: number }[] = [
  { name: 'Zipf 0.8', trace: { ...zipf, exponent: 0.8 }, pointsMin: -0.5 },
  { name: 'Zipf 1.0', trace: { ...zipf, exponent: 1.0 }, pointsMin: -0.5 },
  { name: 'Zipf 0.8 and scans', trace: { ...scans, exponent: 0.8 }, pointsMin: 3 },
  { name: 'Zipf 1.0 and scans', trace: { ...scans, exponent: 1.0 }, pointsMin: 3 },
]

for (const { name, trace, pointsMin } of CASES) {
  test(`hit ratio on ${name}: at least LRU's and ${pointsMin} points`, () => {
    const keys = createTrace(trace).map(keyOf)
    const ours = ratioOfTier(keys) * 100
    const lru = ratioOfLru(keys) * 100
    console.log(`${name}: S3-FIFO ${ours.toFixed(2)} %, LRU ${lru.toFixed(2)} %, seed ${SEED}`)
    expect(ours - lru).toBeGreaterThanOrEqual(pointsMin)
  })
}
