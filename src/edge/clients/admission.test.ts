import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAdmission } from './admission.ts'

const LIMITS = {
  edgeClientConnectionsMax: 2,
  edgeClientRequestsBurstMax: 3,
  edgeClientRequestsPerSecondMax: 1,
  edgeClientsMax: 8,
}

/** With a clock that the test moves. */
function open(limits: Partial<typeof LIMITS> = {}, exempt: readonly string[] = []) {
  let nowMs = 0
  const admission = createAdmission({ limits: { ...LIMITS, ...limits }, exempt, clock: { elapsedMs: () => nowMs } })
  return {
    ...admission,
    take: (address: string) => admission.take(address, nowMs),
    /** How many of `count` requests at this moment are let in. */
    takeMany: (address: string, count: number) =>
      Array.from({ length: count }, () => admission.take(address, nowMs)).filter((waitMs) => waitMs === 0).length,
    passTime(ms: number) {
      nowMs += ms
    },
  }
}
const ip = (number: number): string => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`

const SAME: readonly (readonly [one: string, other: string, same: boolean])[] = [
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['2001:db8:1:2::a', '2001:db8:1:2:ffff::b', true],
  ['2001:db8:1:2::a', '2001:db8:1:3::a', false],
  ['no address', 'no address', true],
]
test.each(SAME)('%s and %s are one client: %p', (one, other, same) => {
  const { open: connect, takeMany } = open()
  connect(one)
  connect(other)
  expect(connect(one)).toBe(!same)
  expect([takeMany(one, 9), takeMany(other, 9)]).toEqual([3, same ? 0 : 3])
})

test('a connection is one until it is closed, and closing frees exactly one', () => {
  const { open: connect, close } = open()
  expect([connect('192.0.2.1'), connect('192.0.2.1'), connect('192.0.2.1')]).toEqual([true, true, false])
  close('192.0.2.1')
  expect([connect('192.0.2.1'), connect('192.0.2.1')]).toEqual([true, false])
})

test('what was never opened may be closed: nobody gains by it', () => {
  const { open: connect, close } = open()
  close('192.0.2.1')
  expect([connect('192.0.2.1'), connect('192.0.2.1'), connect('192.0.2.1')]).toEqual([true, true, false])
})

test('who asks too much is told how long to wait, and is let in then', () => {
  const { open: connect, close, take, takeMany, passTime } = open()
  connect('192.0.2.1')
  expect(takeMany('192.0.2.1', 9)).toBe(3)
  const waitMs = take('192.0.2.1')
  expect(waitMs).toBe(1_000)
  passTime(waitMs)
  expect([take('192.0.2.1'), take('192.0.2.1')]).toEqual([0, 1_000])
  // A new connection brings no new burst.
  close('192.0.2.1')
  connect('192.0.2.1')
  expect(take('192.0.2.1')).toBe(1_000)
  passTime(60_000)
  expect(takeMany('192.0.2.1', 9)).toBe(3)
})

test('exempt networks are not counted, and count nobody', () => {
  const { open: connect, close, takeMany, clients } = open({}, ['127.0.0.0/8', '::1/128', '2001:db8::/32'])
  for (const address of ['127.0.0.1', '::ffff:127.9.9.9', '::1', '2001:db8:7::1']) {
    expect([1, 2, 3, 4].every(() => connect(address))).toBe(true)
    expect(takeMany(address, 50)).toBe(50)
    close(address)
  }
  expect(clients()).toBe(0)
  for (const address of ['128.0.0.1', '::2', '2001:db9::1']) {
    expect([connect(address), connect(address), connect(address)]).toEqual([true, true, false])
    expect(takeMany(address, 50)).toBe(3)
  }
})

test('an exempt network that is none is told, with what it was', () => {
  expect(() => open({}, ['10.0.0.0'])).toThrow(/expected one such as "10.0.0.0\/8".*got "10.0.0.0"/)
})

test('a crowd of addresses shuts out nobody who is connected, and has one burst among strangers', () => {
  const { open: connect, take, takeMany, clients, passTime } = open({ edgeClientsMax: 8 })
  connect('192.0.2.1')
  let stranger = 0
  let taken = 0
  for (let round = 0; round < 100; round++) {
    const address = ip(stranger++)
    if (connect(address)) taken += takeMany(address, 100)
    expect(clients()).toBeLessThanOrEqual(8)
  }
  // Seven of their own, and the crowd's.
  expect(taken).toBe(8 * 3)
  expect(takeMany('192.0.2.1', 9)).toBe(3)
  passTime(1_000)
  expect(take('192.0.2.1')).toBe(0)
  expect(connect('192.0.2.1')).toBe(true)
})

test('who comes again and again under new addresses gains no burst by making the edge forget', () => {
  const { open: connect, close, takeMany } = open({ edgeClientsMax: 4 })
  const drained = ip(0)
  connect(drained)
  expect(takeMany(drained, 9)).toBe(3)
  close(drained)
  for (let number = 1; number < 50; number++) {
    connect(ip(number))
    takeMany(ip(number), 9)
    close(ip(number))
  }
  connect(drained)
  expect(takeMany(drained, 9)).toBe(0)
})

test('who has rested long enough makes room', () => {
  const { open: connect, close, takeMany, clients, passTime } = open({ edgeClientsMax: 4 })
  for (let number = 0; number < 4; number++) {
    connect(ip(number))
    takeMany(ip(number), 9)
    close(ip(number))
  }
  passTime(3_000)
  for (let number = 10; number < 20; number++) {
    connect(ip(number))
    close(ip(number))
  }
  // Two go for one that comes, so those of before are gone, and there is room for strangers of their own.
  expect(clients()).toBeLessThan(4)
  connect('192.0.2.1')
  connect('192.0.2.2')
  expect([takeMany('192.0.2.1', 9), takeMany('192.0.2.2', 9)]).toEqual([3, 3])
})

test('whatever happens: counts hold, bounds hold, and no client has more than its rate', () => {
  const commands = fc.array(
    fc.record({
      act: fc.constantFrom('open', 'close', 'take', 'take', 'wait'),
      who: fc.nat(11),
      ms: fc.nat(2_000),
    }),
    { maxLength: 300 },
  )
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 12 }), (script, edgeClientsMax) => {
      const { open: connect, close, take, clients, passTime } = open({ edgeClientsMax })
      const connected = new Map<number, number>()
      let elapsedMs = 0
      let taken = 0
      for (const { act, who, ms } of script) {
        const count = connected.get(who) ?? 0
        if (act === 'wait') {
          passTime(ms)
          elapsedMs += ms
        } else if (act === 'open') {
          const isIn = connect(ip(who))
          if (isIn) connected.set(who, count + 1)
          // Alone it may always have as many as are allowed; among the crowd others count, too.
          if (count >= LIMITS.edgeClientConnectionsMax) expect(isIn).toBe(false)
          else if (edgeClientsMax >= 12) expect(isIn).toBe(true)
        } else if (act === 'close') {
          if (count === 0) continue
          close(ip(who))
          connected.set(who, count - 1)
        } else if (count > 0 && take(ip(who)) === 0) taken += 1
        expect(clients()).toBeLessThanOrEqual(edgeClientsMax)
      }
      // Each of the twelve and the crowd have a bucket; to be forgotten gains nobody another.
      expect(taken).toBeLessThanOrEqual(13 * (3 + elapsedMs / 1_000) + 0.01)
    }),
  )
})
