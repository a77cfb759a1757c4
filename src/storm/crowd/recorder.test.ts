import { expect, test } from 'bun:test'
import { createRecorder, isOffloaded, type Outcome, type Recorder } from './recorder.ts'

const AROUND = { cpu: 0.5, rssBytes: 1, rolesDown: null }
const outcome = (change: Partial<Outcome>): Outcome => ({
  kind: 'home',
  cell: 'a',
  latencyMs: 10,
  error: null,
  bytes: 100,
  dueMs: 0,
  abandoned: false,
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
  for (let viewer = 0; viewer < 10; viewer++)
    recorder.note({ type: 'gave-up', during: 'startup', why: 'waited', waitedMs: 4_000 })
  recorder.note({ type: 'gave-up', during: 'stall', why: 'waited', waitedMs: 60_000 })
  // Refused at once: it says nothing of how long a start takes.
  recorder.note({ type: 'gave-up', during: 'startup', why: 'refused', waitedMs: 1 })
  const totals = recorder.totals()
  expect(totals).toMatchObject({ started: 90, gaveUp: 12, startups: 100 })
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

test('errors belong to the second in which the request was due, and what was abandoned is no error', () => {
  const recorder = createRecorder()
  recorder.done(outcome({ dueMs: 2_500, latencyMs: 10_000, error: 'timeout' }))
  recorder.done(outcome({ dueMs: 100 }))
  recorder.done(outcome({ dueMs: 2_999, latencyMs: 9_000, abandoned: true }))
  expect(recorder.due()).toEqual([
    { requests: 1, errors: 0 },
    { requests: 0, errors: 0 },
    { requests: 2, errors: 1 },
  ])
  expect(recorder.totals()).toMatchObject({ requests: 3, errors: 1, abandoned: 1 })
  // Nobody who leaves makes a slow answer fast.
  expect(recorder.requests()[0]?.maxMs).toBeCloseTo(10_000, -2)
})

test("a target that names a new cell for each viewer does not have storm's memory", () => {
  const recorder = createRecorder()
  for (let index = 0; index < 1_000; index++) recorder.done(outcome({ cell: `cell-${index}` }))
  expect(recorder.cells().length).toBeLessThanOrEqual(65)
  expect(recorder.cells().reduce((sum, { requests }) => sum + requests, 0)).toBe(1_000)
})
