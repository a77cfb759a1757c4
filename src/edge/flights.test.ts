import { expect, test } from 'bun:test'
import { Fault, faultCode } from '../kernel/index.ts'
import { createFlights } from './flights.ts'

const never = (): AbortSignal => new AbortController().signal
const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'resolved', faultCode)

test('a thousand waiters share one flight', async () => {
  const flights = createFlights<number>({ flightsMax: 1 })
  let starts = 0
  const landing = Promise.withResolvers<number>()
  const start = () => {
    starts += 1
    return landing.promise
  }
  const waiters = Array.from({ length: 1_000 }, () => flights.join('a', start, never()))
  landing.resolve(7)
  expect(new Set(await Promise.all(waiters))).toEqual(new Set([7]))
  expect(starts).toBe(1)
  expect(flights.size()).toBe(0)
})

test('one waiter leaving leaves the others be; the last one aborts the work', async () => {
  const flights = createFlights<number>({ flightsMax: 1 })
  const controllers = [new AbortController(), new AbortController()] as const
  let work: AbortSignal | null = null
  const start = (signal: AbortSignal) => {
    work = signal
    return new Promise<number>(() => {})
  }
  const codes = controllers.map(({ signal }) => codeOf(flights.join('a', start, signal)))
  const aborted = () => work?.aborted
  controllers[0].abort()
  expect(await codes[0]).toBe('cancelled')
  expect(aborted()).toBe(false)
  controllers[1].abort()
  expect(await codes[1]).toBe('cancelled')
  expect(aborted()).toBe(true)
  expect(flights.size()).toBe(0)
})

test('a failure is everyone’s, and the next one starts afresh', async () => {
  const flights = createFlights<number>({ flightsMax: 1 })
  const failing = () => Promise.reject(new Fault('boom', 'boom'))
  const codes = [1, 2, 3].map(() => codeOf(flights.join('a', failing, never())))
  expect(await Promise.all(codes)).toEqual(['boom', 'boom', 'boom'])
  expect(await flights.join('a', async () => 1, never())).toBe(1)
})

test('a signal that was aborted before joining', async () => {
  const flights = createFlights<number>({ flightsMax: 1 })
  expect(await codeOf(flights.join('a', () => new Promise(() => {}), AbortSignal.abort()))).toBe('cancelled')
  expect(flights.size()).toBe(0)
})

test('abort ends what matches with its fault, and leaves the rest', async () => {
  const flights = createFlights<number>({ flightsMax: 2 })
  const landing = Promise.withResolvers<number>()
  const gone = codeOf(flights.join('t1/a', () => new Promise(() => {}), never()))
  const kept = flights.join('t2/a', () => landing.promise, never())
  flights.abort((key) => key.startsWith('t1/'), new Fault('title-withdrawn', 'gone'))
  landing.resolve(1)
  expect([await gone, await kept]).toEqual(['title-withdrawn', 1])
})

test('flights are bounded', async () => {
  const flights = createFlights<number>({ flightsMax: 1 })
  const first = codeOf(flights.join('a', () => new Promise(() => {}), AbortSignal.timeout(1_000)))
  expect(await codeOf(flights.join('b', async () => 1, never()))).toBe('overloaded')
  flights.abort(() => true, new Fault('closed', 'closed'))
  expect(await first).toBe('closed')
})
