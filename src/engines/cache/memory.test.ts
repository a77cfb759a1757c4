import { expect, test } from 'bun:test'
import { runCacheContract } from './contract.ts'
import { createMemoryCache } from './index.ts'

runCacheContract('memory', async () => {
  let nowMs = 1_000
  const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  return {
    cache: createMemoryCache({ bytesMax: 1_000_000, clock }),
    pass: async (ms) => {
      nowMs += ms
    },
  }
})

test('it holds no more than bytesMax: the least recently used goes, and what never fits is not kept', async () => {
  const cache = createMemoryCache({ bytesMax: 10_000 })
  const options = { ttlMs: 60_000 }
  for (let index = 0; index < 5; index++) {
    await cache.set(`k${index}`, new Uint8Array(3_000), options)
    await cache.get('k0')
  }
  const held = await Promise.all(Array.from({ length: 5 }, async (_, index) => (await cache.get(`k${index}`)) !== null))
  expect(held).toEqual([true, false, false, true, true])
  await cache.set('huge', new Uint8Array(20_000), options)
  expect(await cache.get('huge')).toBeNull()
})
