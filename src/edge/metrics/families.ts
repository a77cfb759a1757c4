import { DURATION_BOUNDS_S, type EdgeMetrics, type EdgeTally } from '../../contracts/index.ts'
import { type MetricFamily, type MetricLabels, type MetricSample, toHistogramSamples } from '../../kernel/index.ts'

/** What an edge counted, as Prometheus names it. Top objects are left out: a series per object would be a series per film and rung. */
export function toEdgeFamilies(metrics: EdgeMetrics, labels: MetricLabels): MetricFamily[] {
  const sample = (value: number, own: MetricLabels = {}): MetricSample => ({ labels: { ...labels, ...own }, value })
  return [
    ...requestFamilies(metrics, labels, sample),
    ...tallyFamilies('cell', 'cell', metrics.cells, sample),
    ...tallyFamilies('tag', 'tag', metrics.tags, sample),
    ...memoryFamilies(metrics, sample),
    ...linkFamilies(metrics, sample),
    ...serverFamilies(metrics, sample),
  ]
}

type ToSample = (value: number, own?: MetricLabels) => MetricSample

function requestFamilies(metrics: EdgeMetrics, labels: MetricLabels, sample: ToSample): MetricFamily[] {
  const { startedAtMs, requests, incomplete, outcomes } = metrics
  return [
    {
      name: 'tentpole_edge_start_time_seconds',
      type: 'gauge',
      help: 'When the edge began to count, seconds since 1970.',
      samples: [sample(startedAtMs / 1000)],
    },
    {
      name: 'tentpole_edge_requests_total',
      type: 'counter',
      help: 'Requests answered, by what the cache did, method and class of status.',
      samples: requests.map(({ cache, method, status, count }) => sample(count, { cache, method, status })),
    },
    {
      name: 'tentpole_edge_incomplete_requests_total',
      type: 'counter',
      help: 'Requests whose client went away or was cut off before the end of its answer.',
      samples: [sample(incomplete)],
    },
    {
      name: 'tentpole_edge_answer_bytes_total',
      type: 'counter',
      help: 'Bytes of content sent, by what the cache did.',
      samples: outcomes.map(({ cache, bytes }) => sample(bytes, { cache })),
    },
    {
      name: 'tentpole_edge_request_duration_seconds',
      type: 'histogram',
      help: 'From the head of a request to the last byte of its answer, by what the cache did.',
      samples: outcomes.flatMap(({ cache, durationSumS, durationCounts }) =>
        toHistogramSamples(
          { ...labels, cache },
          { bounds: DURATION_BOUNDS_S, counts: durationCounts, sum: durationSumS },
        ),
      ),
    },
  ]
}

/** Requests and bytes by cell or tag; `other` is what came while all names were in use. */
function tallyFamilies(what: string, label: string, tallies: readonly EdgeTally[], sample: ToSample): MetricFamily[] {
  return [
    {
      name: `tentpole_edge_${what}_requests_total`,
      type: 'counter',
      help: `Requests by ${what}, and whether their content was here (hit), here and stale, or came from an origin (miss).`,
      samples: tallies.flatMap(({ name, requests, hits, stale, misses }) => [
        sample(hits, { [label]: name, cache: 'hit' }),
        sample(stale, { [label]: name, cache: 'stale' }),
        sample(misses, { [label]: name, cache: 'miss' }),
        sample(requests - hits - stale - misses, { [label]: name, cache: 'none' }),
      ]),
    },
    {
      name: `tentpole_edge_${what}_answer_bytes_total`,
      type: 'counter',
      help: `Bytes of content sent, by ${what}.`,
      samples: tallies.map(({ name, bytes }) => sample(bytes, { [label]: name })),
    },
  ]
}

function memoryFamilies({ memory }: EdgeMetrics, sample: ToSample): MetricFamily[] {
  if (memory === null) return []
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name: `tentpole_edge_memory_${name}`,
    type: 'gauge',
    help,
    samples: [sample(value)],
  })
  return [
    gauge('bytes', 'Bytes that the memory tier accounts for.', memory.bytes),
    gauge('limit_bytes', 'Bytes that the memory tier may account for.', memory.bytesMax),
    gauge('entries', 'Answers in the memory tier.', memory.entries),
    gauge('slices', 'Slices of content in the memory tier.', memory.slices),
    {
      name: 'tentpole_edge_memory_changes_total',
      type: 'counter',
      help: 'Heads and slices that the memory tier admitted, refused, evicted and purged.',
      samples: (['admitted', 'refused', 'evicted', 'purged'] as const).map((change) =>
        sample(memory[change], { change }),
      ),
    },
  ]
}

function linkFamilies({ fetches, origins, cellLinks }: EdgeMetrics, sample: ToSample): MetricFamily[] {
  const gauge = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({
    name: `tentpole_edge_${name}`,
    type: 'gauge',
    help,
    samples,
  })
  return [
    gauge('fetches', 'Fetches from origins under way.', fetches ? [sample(fetches.fetches)] : []),
    gauge('fetch_readers', 'Requests that are answered from those fetches.', fetches ? [sample(fetches.readers)] : []),
    gauge(
      'fetch_buffered_bytes',
      'Bytes kept of those fetches for who is behind.',
      fetches ? [sample(fetches.bufferedBytes)] : [],
    ),
    gauge(
      'origin_up',
      'Whether an origin is up (1); 0 is down, or being tried again.',
      (origins ?? []).map(({ name, state }) => sample(state === 'up' ? 1 : 0, { origin: name })),
    ),
    gauge(
      'cell_connected',
      'Whether the edge is connected to a cell.',
      (cellLinks ?? []).map(({ name, connected }) => sample(connected ? 1 : 0, { cell: name })),
    ),
  ]
}

function serverFamilies({ server }: EdgeMetrics, sample: ToSample): MetricFamily[] {
  if (server === null) return []
  return [
    {
      name: 'tentpole_edge_connections',
      type: 'gauge',
      help: 'Connections of clients.',
      samples: [sample(server.connections)],
    },
    {
      name: 'tentpole_edge_requests_in_flight',
      type: 'gauge',
      help: 'Requests not answered to their end.',
      samples: [sample(server.inFlight)],
    },
    {
      name: 'tentpole_edge_refusals_total',
      type: 'counter',
      help: 'What the server refused by itself, by the code of the problem.',
      samples: Object.entries(server.refusals).map(([code, count]) => sample(count, { code })),
    },
  ]
}
