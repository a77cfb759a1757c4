import { expect, test } from 'bun:test'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createAuth } from './auth.ts'

const createClock = () => {
  let ms = 1_000_000
  const pass = (by: number): void => {
    ms += by
  }
  return { pass, nowMs: () => ms, elapsedMs: () => ms }
}
const cookieOf = (setCookie: string | null): string => setCookie?.split(';')[0] ?? ''

test('a code works once and within its time', () => {
  const clock = createClock()
  const auth = createAuth({ operatorToken: 'secret', metricsToken: 'scrape', limits: DEFAULT_LIMITS, clock })
  const code = auth.createCode()
  expect(auth.redeem(code)).not.toBeNull()
  expect(auth.redeem(code)).toBeNull()
  const late = auth.createCode()
  clock.pass(DEFAULT_LIMITS.consoleLinkMs)
  expect(auth.redeem(late)).toBeNull()
})

test('codes that wait are bounded: the oldest goes', () => {
  const auth = createAuth({
    operatorToken: 'secret',
    metricsToken: 'scrape',
    limits: DEFAULT_LIMITS,
    clock: createClock(),
  })
  const codes = Array.from({ length: 70 }, () => auth.createCode())
  expect(auth.redeem(codes[0] ?? '')).toBeNull()
  expect(auth.redeem(codes.at(-1) ?? '')).not.toBeNull()
})

test('a session ends after its time, with another operator token, and at the first changed character', () => {
  const clock = createClock()
  const auth = createAuth({ operatorToken: 'secret', metricsToken: 'scrape', limits: DEFAULT_LIMITS, clock })
  const cookie = cookieOf(auth.redeem(auth.createCode()))
  expect(auth.isSession(`other=1; ${cookie}`)).toBe(true)
  expect(
    createAuth({ operatorToken: 'secret', metricsToken: 'scrape', limits: DEFAULT_LIMITS, clock }).isSession(cookie),
  ).toBe(true)
  const [name, value = ''] = cookie.split('=')
  const [expires, ...rest] = value.split('.')
  const forged = `${name}=${[Number(expires) + 1, ...rest].join('.')}`
  for (const other of [forged, cookie.slice(0, -1), `${cookie}x`, `${name}=`, `x${cookie}`, ''])
    expect(auth.isSession(other)).toBe(false)
  // The same name with another token's signature.
  const stranger = createAuth({ operatorToken: 'other', metricsToken: 'scrape', limits: DEFAULT_LIMITS, clock })
  const foreign = cookieOf(stranger.redeem(stranger.createCode())).split('=')[1]
  expect(auth.isSession(`${name}=${foreign}`)).toBe(false)
  clock.pass(DEFAULT_LIMITS.consoleSessionMs)
  expect(auth.isSession(cookie)).toBe(false)
})

test('the token for metrics opens these and nothing else, the operator token both', () => {
  const auth = createAuth({
    operatorToken: 'secret',
    metricsToken: 'scrape',
    limits: DEFAULT_LIMITS,
    clock: createClock(),
  })
  const cases = [
    ['Bearer secret', true, true],
    ['Bearer scrape', false, true],
    ['Basic scrape', false, false],
    ['Bearer scrape x', false, false],
    ['Bearer ', false, false],
    [null, false, false],
  ] as const
  for (const [header, isOperator, mayScrape] of cases)
    expect([auth.isOperator(header), auth.mayScrape(header)]).toEqual([isOperator, mayScrape])
})
