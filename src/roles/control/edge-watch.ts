import { type EdgeMetrics, type EdgeSample, type EdgeView, edgeMetricsSchema } from '../../contracts/index.ts'
import { type Clock, describeError, type Limits, type Logger } from '../../kernel/index.ts'
import { createWireClient } from '../../wire/index.ts'
import type { MeterCall } from '../meter-socket.ts'
import { toEdgeSample } from './edge-sample.ts'

/** What the edge counts, as control hears it. The edge does not notice whether anybody asks. */
export type EdgeWatch = {
  /** As last heard, and how the sums went since control started, `metricsSamplesMax` periods at most. */
  view(): EdgeView
  /** Of this moment; null when the edge does not answer in time. */
  prometheus(): Promise<string | null>
  close(): void
}

export function watchEdge(options: {
  readonly path: string
  readonly limits: Limits
  readonly clock: Clock
  readonly logger: Logger
}): EdgeWatch {
  const { path, limits, clock, logger } = options
  const client = createWireClient({ path, limits })
  let heardAtMs: number | null = null
  let metrics: EdgeMetrics | null = null
  let samples: readonly EdgeSample[] = []
  let closed = false
  let timer: ReturnType<typeof setTimeout> | null = null

  const ask = async (what: MeterCall): Promise<string | null> => {
    try {
      return Buffer.from(await client.call(Buffer.from(what), { timeoutMs: limits.metricsTimeoutMs })).toString()
    } catch (error) {
      logger.debug('the edge did not say what it counts', { error: describeError(error) })
      return null
    }
  }
  const hear = (text: string): void => {
    const parsed = edgeMetricsSchema.safeParse(JSON.parse(text))
    if (!parsed.success) {
      logger.warn('the edge said what control cannot read; both must be the same build')
      return
    }
    metrics = parsed.data
    heardAtMs = clock.nowMs()
    samples = [...samples, toEdgeSample(metrics, heardAtMs)].slice(-limits.metricsSamplesMax)
  }
  const round = async (): Promise<void> => {
    const text = await ask('snapshot')
    if (text !== null) hear(text)
    // Asked sooner until it is heard for the first time: it may still be starting.
    const waitMs = heardAtMs === null ? limits.metricsTimeoutMs : limits.metricsPeriodMs
    if (!closed) timer = setTimeout(() => void round(), waitMs)
  }
  void round()

  return {
    view: () => ({ atMs: clock.nowMs(), heardAtMs, periodMs: limits.metricsPeriodMs, metrics, samples: [...samples] }),
    prometheus: () => ask('prometheus'),
    close() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      client.close()
    },
  }
}
