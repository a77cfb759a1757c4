import type { EdgeMeter } from '../edge/index.ts'
import { Fault, type Limits, type Logger, type MetricLabels } from '../kernel/index.ts'
import { createWireServer, type WireServer } from '../wire/index.ts'

/** What a role that counts may be asked on its socket: its figures as data, or as Prometheus' text. */
export type MeterCall = 'snapshot' | 'prometheus'

/** Tells control what a role counted. `path` is the layout's `roleSocket`; `labels` are put on every sample of the text. */
export function serveMeter(options: {
  readonly path: string
  readonly meter: Pick<EdgeMeter, 'snapshot' | 'prometheus'>
  readonly labels: MetricLabels
  readonly limits: Limits
  readonly logger: Logger
}): WireServer {
  const { path, meter, labels, limits, logger } = options
  const calls: Readonly<Record<MeterCall, () => string>> = {
    snapshot: () => JSON.stringify(meter.snapshot()),
    prometheus: () => meter.prometheus(labels),
  }
  return createWireServer({
    path,
    limits,
    logger,
    onCall(payload) {
      const what = Buffer.from(payload).toString()
      if (what === 'snapshot' || what === 'prometheus') return Buffer.from(calls[what]())
      throw new Fault('unknown-call', `expected "snapshot" or "prometheus", got ${JSON.stringify(what.slice(0, 40))}`)
    },
  })
}
