import { expect, test } from 'bun:test'
import { runClockwork } from './clockwork.ts'

test('every second is told once, in order, and ticks end with the storm', async () => {
  const began = performance.now()
  const seconds: number[] = []
  let ticks = 0
  let after = 0
  await runClockwork({
    durationMs: 3_000,
    // Ten times as fast, so that one step passes several milliseconds of storm time.
    nowMs: () => (performance.now() - began) * 10,
    onTick(now) {
      ticks += 1
      if (now >= 3_000) after += 1
    },
    onSecond: (atMs) => seconds.push(atMs),
    stop: new AbortController().signal,
  })
  expect(seconds).toEqual([1_000, 2_000, 3_000])
  // What was due in the last moment still comes, once.
  expect(after).toBe(1)
  expect(ticks).toBeGreaterThan(50)
})

test('a process that was held up still tells every second', async () => {
  const seconds: number[] = []
  const times = [0, 5_500, 6_000]
  await runClockwork({
    durationMs: 6_000,
    nowMs: () => times.shift() ?? 6_000,
    onTick: () => {},
    onSecond: (atMs) => seconds.push(atMs),
    stop: new AbortController().signal,
  })
  expect(seconds).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000])
})

test('it stops when told to, and a defect ends it', async () => {
  const stopping = new AbortController()
  const nowMs = (): number => performance.now()
  const onSecond = (): void => {}
  const onTick = (): void => stopping.abort()
  await runClockwork({ durationMs: Number.POSITIVE_INFINITY, nowMs, onTick, onSecond, stop: stopping.signal })
  const broken = (): void => {
    throw new Error('a defect')
  }
  const stop = new AbortController().signal
  expect(runClockwork({ durationMs: 1e9, nowMs, onTick: broken, onSecond, stop })).rejects.toThrow('a defect')
})
