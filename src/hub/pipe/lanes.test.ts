import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createLanes } from './lanes.ts'

test('every job is done once, those of a key in order and one at a time, never more side by side than allowed', async () => {
  const jobs = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), turns: fc.nat({ max: 4 }) }), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(jobs, fc.integer({ min: 1, max: 4 }), async (pushed, concurrency) => {
      const done: number[] = []
      const busy = new Set<string>()
      const all = Promise.withResolvers<void>()
      const lanes = createLanes<number>({
        concurrency,
        async work(index) {
          const job = pushed[index]
          if (!job || busy.has(job.key)) throw new Error('two of one key side by side')
          busy.add(job.key)
          expect(busy.size).toBeLessThanOrEqual(concurrency)
          for (let turn = 0; turn < job.turns; turn++) await Promise.resolve()
          busy.delete(job.key)
          done.push(index)
          if (done.length === pushed.length) all.resolve()
        },
      })
      for (const [index, { key }] of pushed.entries()) lanes.push(key, index)
      if (pushed.length > 0) await all.promise
      await lanes.close()
      expect(done.toSorted((a, b) => a - b)).toEqual([...pushed.keys()])
      for (const key of new Set(pushed.map((job) => job.key))) {
        const own = done.filter((index) => pushed[index]?.key === key)
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
    }),
  )
})

test('closing waits for what is under way and begins nothing more', async () => {
  const begun: number[] = []
  const gate = Promise.withResolvers<void>()
  const lanes = createLanes<number>({
    concurrency: 2,
    async work(job) {
      begun.push(job)
      await gate.promise
    },
  })
  for (const job of [1, 2, 3, 4]) lanes.push(`${job % 3}`, job)
  let closed = false
  const closing = lanes.close().then(() => {
    closed = true
  })
  await Promise.resolve()
  expect(closed).toBe(false)
  gate.resolve()
  await closing
  expect(begun).toEqual([1, 2])
})
