import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideSweep, EMPTY_MEMORY } from './decide-sweep.ts'

const GRACE_MS = 100
const endsAt = (end: number) => [{ topic: 't', partition: 0, end }]

test('a claim is old once it was seen for the grace, not before, and by nobody else’s clock', () => {
  const at = (memory: typeof EMPTY_MEMORY, nowMs: number, refs: readonly string[]) =>
    decideSweep(memory, { refs, complete: true, ends: endsAt(0) }, { nowMs, graceMs: GRACE_MS })
  const first = at(EMPTY_MEMORY, 1_000, ['a'])
  expect(first.old).toEqual([])
  const second = at(first.memory, 1_099, ['a', 'b'])
  expect(second.old).toEqual([])
  const third = at(second.memory, 1_100, ['a', 'b'])
  expect(third.old).toEqual(['a'])
  // One that went away and came back (it cannot) is new.
  expect(at(at(third.memory, 1_101, []).memory, 1_300, ['a']).old).toEqual([])
})

/**
 * A world in which claims are written, then put on the log or not, and sweeps look at both. What a sweep takes for searched
 * must never lie beyond a record that refers to a claim which is not settled yet.
 */
type Step =
  | { readonly kind: 'write' }
  | { readonly kind: 'append' | 'settle'; readonly pick: number }
  | { readonly kind: 'sweep'; readonly max: number; readonly newestFirst: boolean }

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'write' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('append' as const, 'settle' as const), pick: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('sweep' as const),
      max: fc.constantFrom(2, 3, 1_000),
      newestFirst: fc.boolean(),
    }),
  },
)

test('the log is never taken for searched beyond a reference to a claim that is still open', () => {
  let advanced = 0
  const property = fc.property(fc.array(stepArbitrary, { maxLength: 60 }), (steps) => {
    const open: string[] = []
    const appendedAt = new Map<string, number>()
    let [end, nowMs, memory, searchedTo] = [0, 0, EMPTY_MEMORY, 0]
    for (const [index, step] of steps.entries()) {
      nowMs += 1
      if (step.kind === 'write') open.push(`c${index}`)
      if (step.kind === 'append') {
        const waiting = open.filter((ref) => !appendedAt.has(ref))
        const ref = waiting[step.pick % Math.max(1, waiting.length)]
        if (ref !== undefined) appendedAt.set(ref, end)
        end += 1
      }
      if (step.kind === 'settle') {
        // Only what is on the log is marked; what is not may be discarded, and then is never appended.
        const ref = open[step.pick % Math.max(1, open.length)]
        if (ref !== undefined) open.splice(open.indexOf(ref), 1)
      }
      if (step.kind !== 'sweep') continue
      // Rows are read by the publishers' wall clocks, which may be anything.
      const refs = step.newestFirst ? open.slice(-step.max) : open.slice(0, step.max)
      const rows = { refs, complete: open.length < step.max, ends: endsAt(end) }
      const decided = decideSweep(memory, rows, { nowMs, graceMs: 1_000_000 })
      memory = decided.memory
      searchedTo = Math.max(searchedTo, decided.searched?.[0]?.end ?? 0)
      if (decided.searched && searchedTo > 0) advanced += 1
      for (const ref of open) expect(appendedAt.get(ref) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(searchedTo)
    }
  })
  // A claim on the log, that one sweep saw, the next did not get to, and a third took for new.
  const unread: Step[] = [
    { kind: 'write' },
    { kind: 'append', pick: 0 },
    { kind: 'sweep', max: 2, newestFirst: false },
    { kind: 'write' },
    { kind: 'write' },
    { kind: 'sweep', max: 2, newestFirst: true },
    { kind: 'sweep', max: 1_000, newestFirst: false },
  ]
  fc.assert(property, { numRuns: 1_000, examples: [[unread]] })
  expect(advanced).toBeGreaterThan(0)
})
