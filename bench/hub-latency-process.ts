import { openBenchBus } from './hub-bus.ts'
import { createPool } from './hub-events.ts'

/**
 * An open loop: single events at a fixed rate, each as its time comes, whatever became of those before; its latency counts from
 * when it was due until its subscriber has it. Run as a process of its own beside the store's:
 * `bun bench/hub-latency-process.ts '<options as JSON>'`; the last line of its output is the result.
 */
export type LatencyOptions = {
  readonly home: string
  readonly perSecond: number
  readonly warmUpMs: number
  readonly measureMs: number
  readonly subscriptions: number
}

export type Percentiles = { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number }

export type LatencyResult = {
  readonly due: number
  readonly received: number
  readonly repeated: number
  readonly failed: number
  readonly latencyMs: Percentiles
  /** From when each was due until it was handed to the producer. */
  readonly lagMs: Percentiles
  readonly elapsedMs: number
}

const POOL = 1_024
const TICK_MS = 1
const PATIENCE_MS = 5_000

export async function runLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { home, perSecond, warmUpMs, measureMs, subscriptions } = options
  const warmUp = Math.round((perSecond * warmUpMs) / 1_000)
  const all = warmUp + Math.round((perSecond * measureMs) / 1_000)
  const latencyMs = new Float64Array(all).fill(Number.NaN)
  const lagMs = new Float64Array(all)
  let beganMs = 0
  let received = 0
  let repeated = 0
  let failed = 0
  const dueMs = (n: number): number => beganMs + (n * 1_000) / perSecond
  const { producer, close } = await openBenchBus({
    ...{ home, subscriptions },
    handler({ data }) {
      const { n } = data as { n: number } // its schema was checked by the bus
      if (!Number.isNaN(latencyMs[n])) repeated += 1
      else received += 1
      latencyMs[n] = performance.now() - dueMs(n)
    },
  })
  const pool = createPool('played', POOL)
  const publish = (n: number): void => {
    const event = pool[n % POOL]
    if (!event) return
    producer.publish([{ ...event, data: { ...(event.data as object), n } }]).catch(() => {
      failed += 1
    })
  }
  beganMs = performance.now()
  await new Promise<void>((resolve) => {
    let next = 0
    const tick = (): void => {
      for (; next < all && dueMs(next) <= performance.now(); next += 1) {
        lagMs[next] = performance.now() - dueMs(next)
        publish(next)
      }
      if (next < all) setTimeout(tick, TICK_MS)
      else resolve()
    }
    tick()
  })
  const elapsedMs = performance.now() - beganMs
  const deadlineMs = performance.now() + PATIENCE_MS
  while (received + failed < all && performance.now() < deadlineMs) await Bun.sleep(5)
  await close()
  const measured = latencyMs.subarray(warmUp).filter((ms) => !Number.isNaN(ms))
  return {
    due: all - warmUp,
    received: measured.length,
    ...{ repeated, failed, elapsedMs },
    latencyMs: toPercentiles(measured),
    lagMs: toPercentiles(lagMs.subarray(warmUp)),
  }
}

function toPercentiles(values: Float64Array): Percentiles {
  const sorted = values.slice().sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as LatencyOptions // from `hub-flow.ts`
  console.log(JSON.stringify(await runLatency(options)))
  process.exit(0)
}
