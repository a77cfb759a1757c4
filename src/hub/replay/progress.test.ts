import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createProgress } from './progress.ts'

test('the position is never behind the start nor past what is not settled', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ settle: fc.boolean(), pick: fc.nat(20) }), { maxLength: 100 }), (steps) => {
      const progress = createProgress({ 'titles:0': 5 })
      const open: number[] = []
      let next = 5
      for (const { settle, pick } of steps) {
        if (settle && open.length > 0) {
          const [offset = 0] = open.splice(pick % open.length, 1)
          progress.settle('titles:0', offset)
        } else {
          // Offsets rise, not necessarily by one.
          next += pick % 3
          progress.begin('titles:0', next)
          open.push(next)
          next += 1
        }
        expect(progress.position()).toEqual({ 'titles:0': open.length > 0 ? Math.min(...open) : next })
      }
    }),
  )
})
