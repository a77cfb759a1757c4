import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideFailover, type Failover, type FailoverEffect, type FailoverEvent } from './failover.ts'

const happening = fc.record({
  kind: fc.constantFrom('failed', 'answered', 'patience-over'),
  pick: fc.nat(),
  sent: fc.boolean(),
  weak: fc.boolean(),
})

type Happening = { kind: 'failed' | 'answered' | 'patience-over'; pick: number; sent: boolean; weak: boolean }

/** Plays chance events against the machine; attempts that run get an end, each once. */
function play(repeatable: boolean, origins: number, events: readonly Happening[]): FailoverEffect[] {
  let state: Failover = { repeatable, left: Array.from({ length: origins }, (_, at) => at), running: [], weak: null }
  const effects: FailoverEffect[] = []
  const step = (event: FailoverEvent): void => {
    const decision = decideFailover(state, event)
    state = decision.state
    effects.push(...decision.effects)
  }
  step({ kind: 'begin' })
  for (const { kind, pick, sent, weak } of events) {
    const origin = state.running[pick % Math.max(1, state.running.length)]
    if (origin === undefined) break
    if (kind === 'patience-over') step({ kind: 'patience-over' })
    else step(kind === 'failed' ? { kind: 'failed', origin, sent } : { kind: 'answered', origin, weak })
  }
  // Whatever still runs fails in the end.
  for (let origin = state.running[0]; origin !== undefined; origin = state.running[0])
    step({ kind: 'failed', origin, sent: true })
  return effects
}

test('one outcome for every request, whatever the origins do; no origin asked twice; what was sent and may not be repeated is not', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(happening, { maxLength: 12 }),
      (repeatable, origins, events) => {
        const effects = play(repeatable, origins, events)
        expect(effects.filter(({ kind }) => kind === 'answer' || kind === 'give-up').length).toBe(1)
        const asked = effects.flatMap((effect) => (effect.kind === 'ask' ? [effect.origin] : []))
        expect(new Set(asked).size).toBe(asked.length)
        const answered = effects.flatMap((effect) => (effect.kind === 'answer' ? [effect.origin] : []))
        const dropped = effects.flatMap((effect) => (effect.kind === 'drop' ? [effect.origin] : []))
        expect(dropped.filter((origin) => answered.includes(origin))).toEqual([])
        if (!repeatable && events[0]?.kind === 'failed' && events[0].sent) expect(asked).toEqual([0])
      },
    ),
  )
})
