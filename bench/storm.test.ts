import { expect, test } from 'bun:test'
import { startResponder } from '../src/storm/static-responder.ts'
import { runGenerator } from './storm-generator.ts'

test('the generator at smoke size: viewers play without an error, and the rate is what their buffers ask for', async () => {
  const responder = startResponder({ titles: 5, filmMs: 60_000, segmentMs: 500, segmentBytes: 4_096 })
  try {
    const options = { port: responder.port, viewers: 40, rampMs: 500, aheadMs: 2_000, measureMs: 2_000 }
    const result = await runGenerator(options)
    expect([result.errors, result.viewersPlaying]).toEqual([0, 40])
    // Two segments in half a second each, beacons beside.
    expect(result.requestsPerSecond).toBeGreaterThan(40 * 4 * 0.9)
    expect(result.requestsPerSecond).toBeLessThan(40 * 4 * 1.4)
  } finally {
    await responder.stop()
  }
}, 30_000)
