import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DISTRUST, decideCaughtUp, decideLook, type Trust } from './trust.ts'

const GRACE_MS = 4_000
const look = (trust: Trust, nowMs: number, silentForMs: number): Trust =>
  decideLook(trust, { nowMs, silentForMs, graceMs: GRACE_MS })
const atStart: Trust = { ...DISTRUST, lookedAtMs: 0 }

test('closed from the start until caught up', () => {
  const looked = look(atStart, 10, 5)
  expect(looked.trusted).toBe(false)
  expect(decideCaughtUp(looked, looked.epoch).trusted).toBe(true)
})

test('silence beyond the grace ends trust, and only catching up since then brings it back', () => {
  const open = decideCaughtUp(look(atStart, 10, 5), 0)
  expect(look(open, 2_000, GRACE_MS).trusted).toBe(true)
  const closed = look(look(open, 2_000, 1_990), 4_100, GRACE_MS + 1)
  expect(closed.trusted).toBe(false)
  expect(look(closed, 4_200, 0).trusted).toBe(false)
  expect(decideCaughtUp(closed, open.epoch).trusted).toBe(false)
  expect(decideCaughtUp(closed, closed.epoch).trusted).toBe(true)
})

test('an edge that was itself stopped does not trust a heartbeat it finds in its buffers', () => {
  const open = decideCaughtUp(look(atStart, 10, 5), 0)
  const resumed = look(open, 10 + GRACE_MS + 1, 0)
  expect(resumed.trusted).toBe(false)
  expect(resumed.epoch).toBeGreaterThan(open.epoch)
})

test('whatever happens, trust needs a catching up that began after the last silence or stop', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('look' as const), afterMs: fc.nat(6_000), silentForMs: fc.nat(6_000) }),
    fc.record({ kind: fc.constant('begin' as const) }),
    fc.record({ kind: fc.constant('end' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let trust = atStart
      let nowMs = 0
      let begun: { epoch: number; clean: boolean } | null = null
      let expected = false
      for (const each of steps) {
        if (each.kind === 'begin') begun = { epoch: trust.epoch, clean: true }
        else if (each.kind === 'end') {
          if (begun) trust = decideCaughtUp(trust, begun.epoch)
          if (begun?.clean) expected = true
          begun = null
        } else {
          nowMs += each.afterMs
          const bad = each.silentForMs > GRACE_MS || each.afterMs > GRACE_MS
          trust = look(trust, nowMs, each.silentForMs)
          if (bad && (expected || each.afterMs > GRACE_MS) && begun) begun.clean = false
          if (bad) expected = false
        }
        expect(trust.trusted).toBe(expected)
      }
    }),
  )
})
