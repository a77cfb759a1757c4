import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createLanes } from './lanes.ts'

type Thing = { readonly key: string; readonly bytes: number; readonly n: number; next: Thing | null }

const KEYS = ['a', 'b', 'c']
const command = fc.record({
  do: fc.constantFrom(
    'push',
    'push',
    'push',
    'take',
    'take',
    'free',
    'free',
    'back',
    'block',
    'unblock',
    'shift',
    'occupy',
  ),
  key: fc.constantFrom(...KEYS),
})

/** The plain truth of it: a list per key. */
function createModel() {
  return new Map(
    KEYS.map((key) => [key, { waiting: [] as number[], busy: null as number | null | 'by hand', blocked: false }]),
  )
}

test('whatever happens, a key keeps its order, has one at a time, and gives nothing while it is blocked', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const lanes = createLanes<Thing>()
      const model = createModel()
      const taken = new Map<string, Thing>()
      let n = 0
      for (const { do: what, key } of commands) {
        const lane = model.get(key)
        if (!lane) continue
        if (what === 'push') {
          n += 1
          lanes.push({ key, bytes: n, n, next: null })
          lane.waiting.push(n)
        } else if (what === 'take') {
          const item = lanes.take()
          const free = [...model.values()].filter(
            ({ busy, blocked, waiting }) => busy === null && !blocked && waiting.length > 0,
          )
          expect(item === null).toBe(free.length === 0)
          if (!item) continue
          const own = model.get(item.key)
          expect([own?.busy, own?.blocked, own?.waiting.shift()]).toEqual([null, false, item.n])
          if (own) own.busy = item.n
          taken.set(item.key, item)
        } else if (what === 'free' && lane.busy !== null) {
          lanes.free(key)
          lane.busy = null
        } else if (what === 'back' && typeof lane.busy === 'number') {
          const item = taken.get(key)
          if (item) lanes.unshift(item)
          lane.waiting.unshift(lane.busy)
          lanes.free(key)
          lane.busy = null
        } else if (what === 'block' || what === 'unblock') {
          lanes[what](key)
          lane.blocked = what === 'block'
        } else if (what === 'shift') {
          expect(lanes.shift(key)?.n).toBe(lane.waiting.shift())
        } else if (what === 'occupy') {
          expect(lanes.occupy(key)).toBe(lane.busy === null)
          lane.busy ??= 'by hand'
        }
        const waiting = [...model.values()].flatMap((own) => own.waiting)
        expect(lanes.size()).toBe(waiting.length)
        expect(lanes.bytes()).toBe(waiting.reduce((sum, bytes) => sum + bytes, 0))
      }
    }),
  )
})

test('a lane waits while something lies in it or was taken from it; what it is made busy with by hand is no such thing', () => {
  const lanes = createLanes<Thing>()
  const stateOf = () => [lanes.isWaiting('a'), lanes.isTaken('a')]
  expect(stateOf()).toEqual([false, false])
  lanes.occupy('a')
  expect(stateOf()).toEqual([false, false])
  lanes.push({ key: 'a', bytes: 1, n: 1, next: null })
  expect(stateOf()).toEqual([true, false])
  lanes.free('a')
  lanes.take()
  expect(stateOf()).toEqual([true, true])
  lanes.free('a')
  expect(stateOf()).toEqual([false, false])
})
