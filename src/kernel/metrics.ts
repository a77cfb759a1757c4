/** Names and values that tell samples of one family apart. */
export type MetricLabels = Readonly<Record<string, string>>

export type MetricSample = {
  readonly labels: MetricLabels
  readonly value: number
  /** Of a histogram's samples, appended to the name. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

/** Samples under one name. A counter's name ends in `_total`; units come before that, in seconds and bytes. */
export type MetricFamily = {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly MetricSample[]
}

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Families as Prometheus' text format, 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). One without samples is left out.
 */
export function toPrometheusText(families: readonly MetricFamily[]): string {
  return families.map((family) => (family.samples.length === 0 ? '' : toFamilyText(family))).join('')
}

/** A histogram's samples: buckets by upper bound, cumulative, the last without one; their sum and count. */
export function toHistogramSamples(
  labels: MetricLabels,
  histogram: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number },
): MetricSample[] {
  let count = 0
  const buckets = histogram.counts.map((inBucket, at): MetricSample => {
    count += inBucket
    return { suffix: '_bucket', labels: { ...labels, le: toValueText(histogram.bounds[at] ?? Infinity) }, value: count }
  })
  return [...buckets, { suffix: '_sum', labels, value: histogram.sum }, { suffix: '_count', labels, value: count }]
}

function toFamilyText({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.map(
    ({ suffix = '', labels, value }) => `${name}${suffix}${toLabelsText(labels)} ${toValueText(value)}\n`,
  )
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function toLabelsText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function toValueText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}
