import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decide, FIRST_STATE, type PlayerEffect, type PlayerEvent, type PlayerState } from './machine.ts'

type Step = PlayerEvent | { at: number }

/** Plays events in turn; `{ at }` sets the clock. */
function play(steps: readonly Step[], from: PlayerState = FIRST_STATE) {
  let state = from
  let nowMs = 1_000_000
  const effects: PlayerEffect[] = []
  for (const step of steps) {
    if ('at' in step) nowMs = 1_000_000 + step.at
    else {
      const next = decide(state, step, nowMs)
      state = next.state
      effects.push(...next.effects)
    }
  }
  const signals = effects.flatMap((effect) => (effect.type === 'signal' ? [`${effect.kind} ${effect.positionMs}`] : []))
  return { state, effects, signals }
}

const moved = (positionMs: number): PlayerEvent => ({ type: 'moved', positionMs })
const failure = { code: 'x', heading: 'x', advice: 'x', retryable: true }

test('started is told once, progress every five seconds', () => {
  const { signals } = play([
    { type: 'playing' },
    moved(1_000),
    { at: 5_000 },
    moved(5_000),
    { at: 6_000 },
    moved(6_000),
    { type: 'waiting' },
    { type: 'playing' },
    { at: 10_000 },
    moved(10_000),
  ])
  expect(signals).toEqual(['started 0', 'progress 5000', 'stalled 6000', 'progress 10000'])
})

test('pausing, seeking and leaving tell where the film stands, and never twice the same', () => {
  const { signals, effects } = play([
    { type: 'playing' },
    moved(1_000),
    { type: 'paused' },
    { type: 'leaving' },
    { type: 'seeking', positionMs: 9_000 },
    { type: 'seeked', positionMs: 9_000 },
    { type: 'leaving' },
  ])
  expect(signals).toEqual(['started 0', 'progress 1000', 'progress 9000'])
  expect(effects.at(-1)).toEqual({ type: 'flush', leaving: true })
})

test('waiting because of a seek is no stall', () => {
  const { signals, state } = play([
    { type: 'playing' },
    { type: 'seeking', positionMs: 50_000 },
    { type: 'waiting' },
    { type: 'seeked', positionMs: 50_000 },
  ])
  expect(signals).toEqual(['started 0', 'progress 50000'])
  expect(state.phase).toBe('waiting')
})

test('waiting before the first frame is opening, not a stall', () => {
  expect(play([{ type: 'waiting' }])).toMatchObject({ state: { phase: 'opening' }, signals: [] })
})

test('the end is told once; the pause that browsers add to it changes nothing; a seek leaves it', () => {
  const end = play([{ type: 'playing' }, moved(30_000), { type: 'ended' }, { type: 'paused' }, { type: 'ended' }])
  expect(end.signals).toEqual(['started 0', 'ended 30000'])
  expect(end.state.phase).toBe('ended')
  const again = play(
    [{ type: 'seeking', positionMs: 0 }, { type: 'seeked', positionMs: 0 }, { type: 'playing' }],
    end.state,
  )
  expect(again.state.phase).toBe('playing')
  expect(again.signals).toEqual(['progress 0'])
})

test('a refused signature is renewed, until that is plainly of no use', () => {
  const refusals = (count: number): PlayerEvent[] => Array.from({ length: count }, () => ({ type: 'refused' as const }))
  expect(play(refusals(3)).effects).toEqual([{ type: 'renew' }, { type: 'renew' }, { type: 'renew' }])
  expect(play(refusals(4)).state).toMatchObject({ phase: 'failed', failure: { code: 'refused' } })
  expect(play([...refusals(3), { type: 'playing' }, ...refusals(3)]).state.phase).toBe('playing')
})

test('what a page that never played has to say is nothing', () => {
  expect(play([{ type: 'leaving' }]).signals).toEqual([])
  expect(play([{ type: 'paused' }, moved(5)]).signals).toEqual([])
})

test('a failure stays, whatever comes after', () => {
  const failed = play([{ type: 'playing' }, moved(4_000), { type: 'failed', failure }, { type: 'playing' }, moved(9)])
  expect(failed.state.phase).toBe('failed')
  expect(failed.signals).toEqual(['started 0', 'progress 4000'])
})

test('whatever happens, started comes first and once, and progress only with a new position', () => {
  const position = fc.integer({ min: 0, max: 60_000 })
  const event: fc.Arbitrary<Step> = fc.oneof(
    fc
      .constantFrom<PlayerEvent['type']>('playing', 'paused', 'waiting', 'blocked', 'ended', 'refused', 'leaving')
      .map((type) => ({ type }) as PlayerEvent),
    fc.record({ type: fc.constantFrom('moved' as const, 'seeking' as const, 'seeked' as const), positionMs: position }),
    fc.record({ at: fc.integer({ min: 0, max: 60_000 }) }),
    fc.constant<PlayerEvent>({ type: 'failed', failure }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (steps) => {
      const { signals } = play(steps)
      expect(signals.filter((signal) => signal.startsWith('started')).length).toBeLessThanOrEqual(1)
      if (signals.length > 0) expect(signals[0]).toStartWith('started')
      for (const [index, signal] of signals.entries()) {
        if (signal.startsWith('progress')) expect(signal).not.toBe(signals[index - 1] ?? '')
      }
    }),
  )
})
