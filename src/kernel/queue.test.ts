import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createQueue } from './queue.ts'

test('whatever is pushed and shifted, it is what an array would be', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(3_000), fc.constant(null)), { maxLength: 30 }), (steps) => {
      const queue = createQueue<number>()
      const model: number[] = []
      let at = 0
      for (const pushed of steps) {
        if (pushed === null)
          for (let time = model.length >> 1; time >= 0; time--) expect(queue.shift()).toBe(model.shift())
        for (let time = pushed ?? 0; time > 0; time--) {
          queue.push(at)
          model.push(at++)
        }
        expect([queue.size(), queue.first()]).toEqual([model.length, model[0]])
      }
    }),
    { numRuns: 50 },
  )
})
