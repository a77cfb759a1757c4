import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSortedKeys } from './sorted-keys.ts'
import { randomFrom } from './testing/traces.ts'

test('agrees with a sorted array, across splits, joins and runs over several chunks', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = randomFrom(seed)
      const keys = createSortedKeys()
      const model = new Set<string>()
      const some = (): string => Math.floor(random() * 4_000).toString(7)
      const matching = (prefix: string): string[] => [...model].filter((key) => key.startsWith(prefix)).sort()
      for (let step = 0; step < 6_000; step++) {
        const key = some()
        const grows = random() < (step < 4_000 ? 0.8 : 0.2)
        if (grows && !model.has(key)) {
          keys.add(key)
          model.add(key)
        } else if (!grows) {
          keys.remove(key)
          model.delete(key)
        }
        if (step % 500 !== 499) continue
        const prefix = some().slice(0, Math.floor(random() * 4))
        expect(keys.startingWith(prefix, Infinity)).toEqual(matching(prefix))
        expect(keys.startingWith(prefix, 5)).toEqual(matching(prefix).slice(0, 5))
        const from = some()
        expect(keys.firstFrom(from)).toBe([...model].sort().find((each) => each >= from))
        if (step % 1_000 !== 999 || prefix === '') continue
        const taken = matching(prefix)
        expect(keys.takeStartingWith(prefix)).toEqual(taken)
        for (const gone of taken) model.delete(gone)
      }
      expect(keys.startingWith('', Infinity)).toEqual([...model].sort())
      expect(keys.takeStartingWith('')).toEqual([...model].sort())
      expect(keys.startingWith('', Infinity)).toEqual([])
    }),
    { numRuns: 20 },
  )
})
