import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createStreamMachine, type StreamEffect, type StreamInput } from './stream-machine.ts'

const ids = ['a', 'b', 'c', 'd']
const step = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('connect' as const), window: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), last: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), id: fc.constantFrom(...ids) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('acknowledge' as const, 'refuse' as const),
      id: fc.constantFrom(...ids),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), at: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'room' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'abandon' as const }) },
)

test('every attempt ends exactly once, the window is never exceeded, only the present reader is sent anything', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = createWorld()
      for (const each of steps) world.apply(each)
      world.finish()
    }),
  )
})

test('of two with one id the later waits until the earlier has ended', () => {
  const machine = createStreamMachine()
  const feed = (...inputs: StreamInput[]) => inputs.flatMap((input) => machine.step(input))
  feed({ kind: 'connect', reader: 1, window: 4 })
  const deliveries = [1, 2, 3].map((ticket) => ({ kind: 'deliver' as const, ticket, id: 'same' }))
  expect(feed(...deliveries, { kind: 'room' }, { kind: 'room' })).toEqual([{ kind: 'send', reader: 1, ticket: 1 }])
  expect(feed({ kind: 'expire', ticket: 2, id: 'same' })).toEqual([{ kind: 'settle', ticket: 2, how: 'untried' }])
  expect(feed({ kind: 'acknowledge', id: 'same' }, { kind: 'acknowledge', id: 'same' }, { kind: 'room' })).toEqual([
    { kind: 'settle', ticket: 1, how: 'acknowledged' },
    { kind: 'send', reader: 1, ticket: 3 },
  ])
})

test('an event with which three readers went away has failed; one that did not come to be sent has not', () => {
  const machine = createStreamMachine()
  const ends: string[] = []
  for (let reader = 1; reader <= 7; reader += 1) {
    machine.step({ kind: 'connect', reader, window: 1 })
    machine.step({ kind: 'deliver', ticket: reader * 2, id: 'poison' })
    machine.step({ kind: 'deliver', ticket: reader * 2 + 1, id: 'behind' })
    machine.step({ kind: 'room' })
    const effects = machine.step({ kind: 'disconnect', reader })
    ends.push(effects.map((effect) => (effect.kind === 'settle' ? effect.how : '')).join())
  }
  const untried = 'untried,untried'
  expect(ends).toEqual([untried, untried, 'lost,untried', untried, untried, 'lost,untried', untried])
})

/** What an observer may hold the machine to, without knowing how it works. */
function createWorld(): { apply(each: typeof step extends fc.Arbitrary<infer T> ? T : never): void; finish(): void } {
  const machine = createStreamMachine()
  const open = new Map<number, { id: string; sentTo: number | null }>()
  const ended = new Set<number>()
  const delivered: { ticket: number; id: string }[] = []
  let reader = 0
  let connected: { id: number; window: number } | null = null

  const see = (effect: StreamEffect): void => {
    if (effect.kind === 'replace') {
      expect(effect.reader).not.toBe(connected?.id)
      return
    }
    const attempt = open.get(effect.ticket)
    expect(ended.has(effect.ticket)).toBe(false)
    if (!attempt) throw new Error(`nothing is known of ticket ${effect.ticket}`)
    if (effect.kind === 'send') {
      expect([attempt.sentTo, effect.reader]).toEqual([null, connected?.id ?? -1])
      const { id } = attempt
      expect([...open.values()].filter((other) => other.id === id && other.sentTo !== null)).toEqual([])
      attempt.sentTo = effect.reader
      const underWay = [...open.values()].filter(({ sentTo }) => sentTo !== null).length
      expect(underWay).toBeLessThanOrEqual(connected?.window ?? 0)
      return
    }
    if (effect.how === 'untried' && attempt.sentTo !== null && connected?.id === attempt.sentTo)
      expect(replacedOrAbandoned).toBe(true)
    if (effect.how !== 'untried' && effect.how !== 'lost') expect(attempt.sentTo).toBe(connected?.id ?? -1)
    if (effect.how === 'lost')
      expect([attempt.sentTo === null, attempt.sentTo === connected?.id]).toEqual([false, false])
    open.delete(effect.ticket)
    ended.add(effect.ticket)
  }
  let replacedOrAbandoned = false
  const feed = (input: StreamInput): void => {
    replacedOrAbandoned = input.kind === 'abandon'
    for (const effect of machine.step(input)) see(effect)
    expect(machine.reader()).toBe(connected?.id ?? null)
  }

  return {
    apply(each) {
      if (each.kind === 'connect') {
        reader += 1
        connected = { id: reader, window: each.window }
        feed({ kind: 'connect', reader, window: each.window })
        expect(open.size).toBe(0)
      } else if (each.kind === 'disconnect') {
        const gone = each.last ? reader : reader - 1
        if (connected?.id === gone) connected = null
        feed({ kind: 'disconnect', reader: gone })
      } else if (each.kind === 'deliver') {
        const ticket = delivered.length
        delivered.push({ ticket, id: each.id })
        open.set(ticket, { id: each.id, sentTo: null })
        feed({ kind: 'deliver', ticket, id: each.id })
      } else if (each.kind === 'expire') {
        const attempt = delivered[each.at]
        if (attempt) feed({ kind: 'expire', ...attempt })
      } else feed(each)
    },
    finish() {
      feed({ kind: 'abandon' })
      expect([open.size, ended.size]).toEqual([0, delivered.length])
    },
  }
}
