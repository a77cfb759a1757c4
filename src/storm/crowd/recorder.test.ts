import { expect, test } from 'bun:test'
import { createRecorder, isOffloaded, type Outcome, type Recorder } from './recorder.ts'

const AROUND = { cpu: 0.5, rssBytes: 1, rolesDown: null }
const outcome = (change: Partial<Outcome>): Outcome => ({
  kind: 'home',
  cell: 'a',
  latencyMs: 10,
  error: null,
  bytes: 100,
  cacheStatus: null,
  ...change,
})
const doneMany = (recorder: Recorder, count: number, change: Partial<Outcome>): void => {
  for (let index = 0; index < count; index++) recorder.done(outcome(change))
}

test('percentiles by kind and by cell, errors by reason and by cell', () => {
  const recorder = createRecorder()
  doneMany(recorder, 99, { latencyMs: 10 })
  doneMany(recorder, 1, { latencyMs: 900, cell: 'b', error: '503', bytes: 0 })
  doneMany(recorder, 2, { kind: 'playback', latencyMs: 20, cell: 'b', error: 'timeout' })
  const [home, playback] = recorder.requests()
  expect(home).toMatchObject({ kind: 'home', count: 100, errors: 1 })
  expect(home?.p50Ms).toBeCloseTo(10, 1)
  expect(home?.p99Ms).toBeCloseTo(10, 1)
  expect(home?.maxMs).toBeCloseTo(900, -1)
  expect(playback).toMatchObject({ kind: 'playback', count: 2, errors: 2 })
  expect(recorder.cells().map(({ cell, requests, errors }) => [cell, requests, errors])).toEqual([
    ['a', 99, 0],
    ['b', 3, 3],
  ])
  expect(recorder.totals()).toMatchObject({ requests: 102, errors: 3, bytes: 101 * 100 })
  expect(recorder.totals().errorsByReason).toEqual({ 503: 1, timeout: 2 })
})

test('a second holds what happened in it and nothing of the one before', () => {
  const recorder = createRecorder()
  recorder.arrived()
  recorder.moved(null, 'browsing')
  doneMany(recorder, 10, { latencyMs: 50, error: '500' })
  const first = recorder.sample(1_000, AROUND)
  expect(first).toMatchObject({
    arrivals: 1,
    browsing: 1,
    requests: 10,
    errors: 10,
    errorsByCell: { a: 10 },
    bytes: 1_000,
  })
  expect(first.p99Ms).toBeCloseTo(50, 0)
  recorder.moved('browsing', 'starting')
  const second = recorder.sample(2_000, AROUND)
  expect(second).toMatchObject({ arrivals: 0, browsing: 0, starting: 1, requests: 0, errors: 0, errorsByCell: {} })
  expect([second.p50Ms, second.p99Ms, second.homeP99Ms, second.startupP95Ms]).toEqual([null, null, null, null])
  expect(recorder.totals()).toMatchObject({ requestsPerSecondPeak: 10, viewersPeak: 1, plays: 1 })
})

test('rebuffering counts what ran dry, not what a viewer waited for after a seek', () => {
  const recorder = createRecorder()
  recorder.note({ type: 'stalled', ms: 300, cause: 'dry' })
  recorder.note({ type: 'stalled', ms: 5_000, cause: 'seek' })
  recorder.note({ type: 'played', ms: 9_700 })
  expect(recorder.totals()).toMatchObject({ stalls: 1, stalledMs: 300, playedMs: 9_700 })
})

test('startup counts who gave up before the first picture, and not who gave up in a stall', () => {
  const recorder = createRecorder()
  for (let viewer = 0; viewer < 90; viewer++) recorder.note({ type: 'started', ms: 200 })
  for (let viewer = 0; viewer < 10; viewer++) recorder.note({ type: 'gave-up', during: 'startup', waitedMs: 4_000 })
  recorder.note({ type: 'gave-up', during: 'stall', waitedMs: 60_000 })
  const totals = recorder.totals()
  expect(totals).toMatchObject({ started: 90, gaveUp: 11 })
  expect(totals.startupP95Ms).toBeCloseTo(4_000, -1)
  expect(totals.startupP50Ms).toBeCloseTo(200, 0)
})

const statuses: readonly (readonly [string, boolean])[] = [
  ['tentpole; hit', true],
  ['tentpole; fwd=uri-miss; collapsed', true],
  ['tentpole; fwd=uri-miss', false],
  ['tentpole; fwd=bypass', false],
  ['origin-shield; hit, edge; fwd=uri-miss', false],
  ['origin-shield; fwd=miss, edge; hit; ttl=12', true],
  ['hitherto; fwd=miss', false],
]
for (const [status, expected] of statuses) test(`offload: ${status}`, () => expect(isOffloaded(status)).toBe(expected))

test('offload is counted over media files that say where they came from', () => {
  const recorder = createRecorder()
  doneMany(recorder, 8, { kind: 'segment', cacheStatus: 'tentpole; hit' })
  doneMany(recorder, 2, { kind: 'segment', cacheStatus: 'tentpole; fwd=uri-miss' })
  doneMany(recorder, 5, { kind: 'playlist', cacheStatus: 'tentpole; fwd=bypass' })
  doneMany(recorder, 5, { kind: 'segment' })
  expect(recorder.totals()).toMatchObject({ offloadKnown: 10, offloadHits: 8 })
})
