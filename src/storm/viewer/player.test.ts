import { expect, test } from 'bun:test'
import { DEFAULT_HABITS } from './habits.ts'
import { chooseVariant, createPlayer, measure } from './player.ts'

const habits = { ...DEFAULT_HABITS.player, abrSafety: 0.8 }
const main = {
  // Not sorted: the order of a playlist says nothing.
  variants: [2_000_000, 400_000, 5_000_000].map((bandwidthBps) => ({ file: 'v.m3u8', bandwidthBps, height: 1 })),
  audioFile: null,
}
const answer = {
  sessionId: 's',
  token: 't',
  directory: 'd/',
  manifestFile: 'm',
  heartbeatMs: 1,
  resumeMs: 0,
  durationMs: 60_000,
}

test('the best rendition that fits is chosen, the smallest when none does', () => {
  const cases: readonly [estimateBps: number, lineBps: number, variant: number][] = [
    [100_000, 1e9, 1],
    [500_000, 1e9, 1],
    [2_499_999, 1e9, 1],
    [2_500_000, 1e9, 0],
    [6_250_000, 1e9, 2],
    [1e9, 3_000_000, 0],
    [1e9, 100_000, 1],
  ]
  for (const [estimateBps, lineBps, variant] of cases) {
    expect([estimateBps, chooseVariant(main, estimateBps, { habits, lineBps })]).toEqual([estimateBps, variant])
  }
})

test('throughput is a weighted mean of large answers, no faster than the line', () => {
  const player = createPlayer(answer, 0, { ...habits, abrInitialBps: 1_000_000 })
  measure(player, { bytes: 1_000, tookMs: 1 }, 1e9)
  expect(player.estimateBps).toBe(1_000_000)
  measure(player, { bytes: 250_000, tookMs: 1_000 }, 1e9)
  expect(player.estimateBps).toBeCloseTo(1_300_000)
  for (let at = 0; at < 50; at += 1) measure(player, { bytes: 250_000, tookMs: 0 }, 4_000_000)
  expect(player.estimateBps).toBeCloseTo(4_000_000, -1)
})

test('a film resumes where it stood, but not in its credits', () => {
  const starts = [0, 12_345, 54_999, 55_000, 59_000].map(
    (resumeMs) => createPlayer({ ...answer, resumeMs }, 0, habits).positionMs,
  )
  expect(starts).toEqual([0, 12_345, 54_999, 0, 0])
})
