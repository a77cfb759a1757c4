import { expect, test } from 'bun:test'
import type { EdgeMetrics, EdgeSample, EdgeView } from '../../../src/contracts/index.ts'
import {
  decideEdge,
  FIRST_EDGE,
  formatPercent,
  formatRate,
  listOutcomes,
  titleIn,
  toMoments,
  whyStale,
} from './view.ts'

const sample = (fields: Partial<EdgeSample>): EdgeSample => ({
  ...{ atMs: 0, startedAtMs: 1, requests: 0, hits: 0, stale: 0, misses: 0, errors: 0, bytes: 0 },
  ...fields,
})

test('between two samples lies a moment; over a restart nothing is said', () => {
  const moments = toMoments([
    sample({}),
    sample({ atMs: 5_000, requests: 100, hits: 70, stale: 10, misses: 20, errors: 5, bytes: 1_000 }),
    sample({ atMs: 10_000, requests: 100, hits: 70, stale: 10, misses: 20, errors: 5, bytes: 1_000 }),
    sample({ atMs: 15_000, startedAtMs: 2, requests: 3 }),
  ])
  expect(moments).toEqual([
    { atMs: 5_000, requests: 20, hits: 16, misses: 4, errors: 1, bytes: 200, hitPercent: 80 },
    { atMs: 10_000, requests: 0, hits: 0, misses: 0, errors: 0, bytes: 0, hitPercent: null },
    { atMs: 15_000, requests: null, hits: null, misses: null, errors: null, bytes: null, hitPercent: null },
  ])
  expect(toMoments([])).toEqual([])
  expect(toMoments([sample({})])).toEqual([])
})

test.each([
  [null, '–'],
  [0, '0%'],
  [98.76, '98.8%'],
  [99.96, '99.96%'],
  [99.999, '99.99%'],
  [100, '100%'],
])('%p per cent is %p', (percent, expected) => expect(formatPercent(percent)).toBe(expected))

test.each([
  [null, '–'],
  [0, '0'],
  [0.42, '0.4'],
  [12.4, '12'],
  [60_312, '60,312'],
])('%p a second is %p', (perSecond, expected) => expect(formatRate(perSecond)).toBe(expected))

test('outcomes that happened, with their share and their time', () => {
  const metrics = {
    requests: [
      { cache: 'hit', method: 'GET', status: '2xx', count: 6 },
      { cache: 'hit', method: 'HEAD', status: '2xx', count: 2 },
      { cache: 'none', method: 'GET', status: '4xx', count: 2 },
    ],
    outcomes: [
      { cache: 'hit', bytes: 10, durationSumS: 0.016, durationCounts: [] },
      { cache: 'miss', bytes: 0, durationSumS: 0, durationCounts: [] },
      { cache: 'none', bytes: 1, durationSumS: 0.002, durationCounts: [] },
    ],
  } as unknown as EdgeMetrics
  expect(listOutcomes(metrics)).toEqual([
    { cache: 'hit', requests: 8, percent: 80, bytes: 10, averageMs: 2 },
    { cache: 'none', requests: 2, percent: 20, bytes: 1, averageMs: 1 },
  ])
})

test('an object belongs to the title whose id is in its name', () => {
  const isTitle = (id: string): boolean => id === 't1'
  expect(titleIn('http://h/t1/v360/1.m4s', isTitle)).toBe('t1')
  expect(titleIn('title:t1', isTitle)).toBe('t1')
  expect(titleIn('http://h/t12/x', isTitle)).toBeNull()
})

test('what is shown is kept when an answer fails, and called old when nobody speaks', () => {
  const view: EdgeView = { atMs: 110_000, heardAtMs: 100_000, periodMs: 5_000, metrics: null, samples: [] }
  const shown = decideEdge(FIRST_EDGE, { ok: true, value: view })
  expect(whyStale(shown)).toBeNull()
  expect(whyStale({ ...shown, view: { ...view, atMs: 115_001 } })).toContain('does not say')
  const failed = decideEdge(shown, { ok: false, problem: { status: 0, code: 'timeout', detail: 'Too long.' } })
  expect(failed.view).toBe(view)
  expect(whyStale(failed)).toBe('Too long.')
  expect(whyStale(FIRST_EDGE)).toBeNull()
})
