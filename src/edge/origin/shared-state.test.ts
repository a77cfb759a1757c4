import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideShared, NEW_SHARED, type Shared, type SharedEffect, type SharedEvent } from './shared-state.ts'

const KINDS = [
  'joined',
  'left-waiting',
  'head',
  'hungry',
  'left-reading',
  'chunk',
  'pace',
  'store-gone',
  'completed',
  'failed',
] as const
const happening = fc.record({ kind: fc.constantFrom(...KINDS), a: fc.boolean(), b: fc.boolean(), c: fc.boolean() })

type Happening = { kind: (typeof KINDS)[number]; a: boolean; b: boolean; c: boolean }

/** The event, if it can happen in this state. */
function toEvent(state: Shared, { kind, a, b, c }: Happening): SharedEvent | null {
  const streaming = state.phase === 'streaming'
  const sated = state.reading - state.hungry
  if (kind === 'joined') return state.phase === 'ended' ? null : { kind }
  if (kind === 'left-waiting') return state.waiting > 0 ? { kind } : null
  if (kind === 'head')
    return state.phase === 'asking'
      ? { kind, share: a, takers: b ? state.waiting : Math.min(1, state.waiting), storing: c, hasBody: true }
      : null
  if (kind === 'hungry') return streaming && sated > 0 ? { kind } : null
  if (kind === 'left-reading') return (a ? state.hungry : sated) > 0 ? { kind, hungry: a } : null
  if (kind === 'chunk' || kind === 'completed') return streaming && state.pulling ? { kind } : null
  if (kind === 'pace') return { kind, pace: a ? 'free' : b ? 'readers' : 'held' }
  if (kind === 'store-gone') return state.storing ? { kind } : null
  return { kind }
}

test('one end, no pull without a want, none twice, and an end as soon as nobody wants it', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let state = decideShared(NEW_SHARED, { kind: 'joined' }).state
      const all: SharedEffect['kind'][] = []
      for (const each of happenings) {
        const event = toEvent(state, each)
        if (!event) continue
        const before = state
        const decision = decideShared(state, event)
        state = decision.state
        const kinds = decision.effects.map(({ kind }) => kind)
        all.push(...kinds)
        if (kinds.includes('pull')) expect(state.storing || state.hungry > 0).toBe(true)
        if (kinds.includes('pull')) expect(state.pace).not.toBe('held')
        if (kinds.includes('pull') && state.pace === 'readers') expect(state.hungry).toBeGreaterThan(0)
        if (kinds.includes('pull') && event.kind !== 'chunk') expect(before.pulling).toBe(false)
        if (state.phase !== 'ended') expect(state.waiting > 0 || state.reading > 0 || state.storing).toBe(true)
        expect(
          Math.min(state.waiting, state.reading, state.hungry, state.reading - state.hungry),
        ).toBeGreaterThanOrEqual(0)
      }
      const ends = all.filter((kind) => kind === 'finish' || kind === 'fail-all' || kind === 'abandon')
      expect(ends.length).toBe(state.phase === 'ended' ? 1 : 0)
    }),
  )
})
