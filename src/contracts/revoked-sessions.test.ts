import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createId } from '../kernel/index.ts'
import { createRevokedSessions, sessionDeafMs, sessionRevocationKeptMs } from './revoked-sessions.ts'

const LIMITS = { pathTokenTtlMs: 180_000, pathTokenGraceMs: 60_000, sessionsRevokedMax: 100 }
const KEPT_MS = sessionRevocationKeptMs(LIMITS)

const open = (sessionsRevokedMax = LIMITS.sessionsRevokedMax) => {
  let now = 1_000_000
  const sessions = createRevokedSessions({ limits: { ...LIMITS, sessionsRevokedMax }, nowMs: () => now })
  return {
    sessions,
    now: () => now,
    advance: (ms: number) => {
      now += ms
    },
  }
}

test('it is remembered for as long as any token of the session can be renewed', () => {
  const renewableMs = LIMITS.pathTokenTtlMs + LIMITS.pathTokenGraceMs
  for (const unheardMs of [sessionDeafMs(LIMITS), renewableMs]) expect(KEPT_MS).toBeGreaterThan(unheardMs + renewableMs)
  const { sessions, now, advance } = open()
  expect([sessions.add('s', now()), sessions.add('s', now()), sessions.has('s'), sessions.has('t')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  advance(KEPT_MS)
  expect(sessions.has('s')).toBe(true)
  advance(1)
  expect(sessions.has('s')).toBe(false)
})

test('what is heard late counts from when it was said, a clock ahead of ours not beyond our own', () => {
  const { sessions, now, advance } = open()
  expect(sessions.add('old', now() - KEPT_MS - 1)).toBe(false)
  sessions.add('late', now() - KEPT_MS + 10)
  sessions.add('ahead', now() + 1_000_000)
  advance(11)
  expect([sessions.has('old'), sessions.has('late'), sessions.has('ahead')]).toEqual([false, false, true])
  advance(KEPT_MS)
  expect(sessions.has('ahead')).toBe(false)
})

test('beyond the number remembered exactly none is forgotten, few others are taken for one, and memory has a bound', () => {
  const { sessions, now, advance } = open(1_000)
  const revoked = Array.from({ length: 9_000 }, () => createId())
  for (const id of revoked) sessions.add(id, now())
  expect(sessions.size()).toBe(1_000)
  expect(revoked.every(sessions.has)).toBe(true)
  const others = Array.from({ length: 10_000 }, () => createId()).filter(sessions.has).length
  expect(others).toBeLessThan(500)
  advance(KEPT_MS + 1)
  expect(revoked.some(sessions.has)).toBe(false)
  sessions.add('next', now())
  expect(sessions.size()).toBe(1)
})

test('whatever comes in whatever order, what was revoked within the time is known as revoked', () => {
  const step = fc.record({ id: fc.nat(40), afterMs: fc.nat(60_000), ageMs: fc.nat(120_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { sessions, now, advance } = open(3)
      const until = new Map<string, number>()
      for (const { id, afterMs, ageMs } of steps) {
        advance(afterMs)
        const key = `session-${id}`
        sessions.add(key, now() - ageMs)
        until.set(key, Math.max(until.get(key) ?? 0, now() - ageMs + KEPT_MS))
        expect(sessions.size()).toBeLessThanOrEqual(3)
        for (const [each, untilMs] of until) if (untilMs >= now()) expect(sessions.has(each)).toBe(true)
      }
    }),
  )
})
