import { expect, test } from 'bun:test'
import { type MetricFamily, toHistogramSamples, toPrometheusText } from './metrics.ts'

const check = (family: Partial<MetricFamily>, lines: readonly string[]): void => {
  const whole: MetricFamily = { name: 'seen_total', type: 'counter', help: 'Seen.', samples: [], ...family }
  expect(toPrometheusText([whole]).split('\n')).toEqual([...lines])
}

test('a family is its help, its type and its samples', () => {
  check({ samples: [{ labels: {}, value: 1 }] }, [
    '# HELP seen_total Seen.',
    '# TYPE seen_total counter',
    'seen_total 1',
    '',
  ])
})

test('one without samples is left out', () => check({}, ['']))

test('what ends a value or a line is escaped', () => {
  check({ help: 'a\\b\nc "d"', samples: [{ labels: { path: 'a"b\\c\nd{}', cell: '' }, value: 0.5 }] }, [
    '# HELP seen_total a\\\\b\\nc "d"',
    '# TYPE seen_total counter',
    'seen_total{path="a\\"b\\\\c\\nd{}",cell=""} 0.5',
    '',
  ])
})

test('numbers beyond all others have names of their own', () => {
  const samples = [Infinity, -Infinity, Number.NaN].map((value) => ({ labels: {}, value }))
  expect(toPrometheusText([{ name: 'x', type: 'gauge', help: 'X.', samples }])).toEndWith('x +Inf\nx -Inf\nx NaN\n')
})

test('buckets are cumulative and end with all', () => {
  const samples = toHistogramSamples({ cell: 'a' }, { bounds: [0.1, 1], counts: [2, 0, 3], sum: 9.5 })
  check({ name: 'took_seconds', type: 'histogram', help: 'Took.', samples }, [
    '# HELP took_seconds Took.',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{cell="a",le="0.1"} 2',
    'took_seconds_bucket{cell="a",le="1"} 2',
    'took_seconds_bucket{cell="a",le="+Inf"} 5',
    'took_seconds_sum{cell="a"} 9.5',
    'took_seconds_count{cell="a"} 5',
    '',
  ])
})
