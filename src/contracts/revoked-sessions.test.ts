import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createId } from '../kernel/index.ts'
import { createRevokedSessions, sessionDeafMs, sessionRevocationKeptMs } from './revoked-sessions.ts'

const LIMITS = { pathTokenTtlMs: 180_000, pathTokenGraceMs: 60_000, sessionsRevokedMax: 100, sessionsEndedMax: 100 }
const KEPT_MS = sessionRevocationKeptMs(LIMITS)

const open = (sessionsRevokedMax = LIMITS.sessionsRevokedMax, sessionsEndedMax = LIMITS.sessionsEndedMax) => {
  let now = 1_000_000
  const limits = { ...LIMITS, sessionsRevokedMax, sessionsEndedMax }
  const sessions = createRevokedSessions({ limits, nowMs: () => now })
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
  expect([
    sessions.add('s', now(), 'staff'),
    sessions.add('s', now(), 'staff'),
    sessions.has('s'),
    sessions.has('t'),
  ]).toEqual([true, false, true, false])
  advance(KEPT_MS)
  expect(sessions.has('s')).toBe(true)
  advance(1)
  expect(sessions.has('s')).toBe(false)
})

test('what is heard late counts from when it was said, a clock ahead of ours not beyond our own', () => {
  const { sessions, now, advance } = open()
  expect(sessions.add('old', now() - KEPT_MS - 1, 'staff')).toBe(false)
  sessions.add('late', now() - KEPT_MS + 10, 'staff')
  sessions.add('ahead', now() + 1_000_000, 'staff')
  advance(11)
  expect([sessions.has('old'), sessions.has('late'), sessions.has('ahead')]).toEqual([false, false, true])
  advance(KEPT_MS)
  expect(sessions.has('ahead')).toBe(false)
})

test('beyond the number remembered exactly none is forgotten, few others are taken for one, and memory has a bound', () => {
  const { sessions, now, advance } = open(1_000)
  const revoked = Array.from({ length: 9_000 }, () => createId())
  for (const id of revoked) sessions.add(id, now(), 'staff')
  expect(sessions.size()).toBe(1_000)
  expect(revoked.every(sessions.has)).toBe(true)
  const others = Array.from({ length: 10_000 }, () => createId()).filter(sessions.has).length
  expect(others).toBeLessThan(500)
  advance(KEPT_MS + 1)
  expect(revoked.some(sessions.has)).toBe(false)
  sessions.add('next', now(), 'staff')
  expect(sessions.size()).toBe(1)
})

test('viewers’ own endings push out nothing of staff’s, fill no filter, and beyond their number the oldest goes', () => {
  const { sessions, now, advance } = open(50, 1_000)
  const byStaff = Array.from({ length: 200 }, () => createId())
  for (const id of byStaff) sessions.add(id, now(), 'staff')
  const probes = Array.from({ length: 20_000 }, () => createId())
  const takenBefore = probes.filter(sessions.has).length
  const byViewers = Array.from({ length: 50_000 }, () => createId())
  for (const id of byViewers) sessions.add(id, now(), 'viewer')
  expect(byStaff.every(sessions.has)).toBe(true)
  expect(probes.filter(sessions.has).length).toBe(takenBefore)
  expect(sessions.size()).toBe(1_050)
  expect(byViewers.slice(-1_000).every(sessions.isRemembered)).toBe(true)
  expect(byViewers.slice(0, -1_000).some(sessions.isRemembered)).toBe(false)
  advance(KEPT_MS + 1)
  expect([...byStaff, ...byViewers].some(sessions.has)).toBe(false)
})

test('what its viewer ended and staff revoked is kept as staff’s', () => {
  const { sessions, now } = open(10, 2)
  expect([sessions.add('s', now(), 'viewer'), sessions.add('s', now(), 'staff')]).toEqual([true, false])
  for (let at = 0; at < 5; at++) sessions.add(`other-${at}`, now(), 'viewer')
  expect(sessions.isRemembered('s')).toBe(true)
  expect(sessions.isRemembered('other-0')).toBe(false)
})

test('what is said again is remembered for as long as if it had been said only then', () => {
  const { sessions, now, advance } = open(100, 3)
  for (const id of ['a', 'b', 'c']) sessions.add(id, now(), 'viewer')
  advance(10)
  sessions.add('a', now(), 'viewer')
  sessions.add('d', now(), 'viewer')
  expect(['a', 'b', 'c', 'd'].map(sessions.has)).toEqual([true, false, true, true])
  advance(KEPT_MS)
  sessions.add('e', now(), 'viewer')
  expect(['a', 'c', 'd'].map(sessions.has)).toEqual([true, false, true])
})

test('one more costs the same however many there are', () => {
  const max = 20_000
  const { sessions, now } = open(max, max)
  for (const by of ['staff', 'viewer'] as const) {
    const ids = Array.from({ length: 3 * max }, () => createId())
    const startedMs = performance.now()
    for (const id of ids) sessions.add(id, now(), by)
    // Finding the oldest by a walk from the front took 8 to 35 µs each.
    expect(performance.now() - startedMs).toBeLessThan(ids.length * 0.006)
  }
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
        sessions.add(key, now() - ageMs, 'staff')
        until.set(key, Math.max(until.get(key) ?? 0, now() - ageMs + KEPT_MS))
        expect(sessions.size()).toBeLessThanOrEqual(3)
        for (const [each, untilMs] of until) if (untilMs >= now()) expect(sessions.has(each)).toBe(true)
      }
    }),
  )
})
