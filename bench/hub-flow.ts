import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGeneratorProcess } from './generator.ts'
import type { ClaimOptions, ClaimResult } from './hub-claim-process.ts'
import type { PublisherOptions, PublisherResult } from './hub-publisher-process.ts'
import type { SubscriberResult } from './hub-subscriber-process.ts'
import { readLines } from './read-lines.ts'
import type { BenchRow } from './report.ts'

/**
 * A generator later than this for one event in a hundred did not keep its rate, here as in the other open loops. Below it its lateness
 * makes the figure worse, never better: a latency counts from when the event was due.
 */
const LAG_P99_MAX_MS = 5
/** After the last was acknowledged, for those that are not there yet. */
const PATIENCE_MS = 10_000

export type DurableLoad = Pick<PublisherOptions, 'kind' | 'events' | 'warmUp'> & {
  readonly batch: number
  readonly publishers: number
  readonly aheadMax: number
  readonly subscriptions: number
}

export async function measureDurable(metric: string, load: DurableLoad): Promise<BenchRow> {
  const { events, warmUp, batch, publishers, aheadMax, subscriptions } = load
  const { published, subscribed, storeCpuMs } = await runFlow(
    { ...load, load: { kind: 'batches', batch, publishers, aheadMax } },
    subscriptions,
  )
  const { received, repeated, cpuMs, eventBytes } = subscribed
  if (received !== events || repeated > 0)
    throw new Error(`${events} events were acknowledged, ${received} received, ${repeated} of them again`)
  const lastAtMs = toTimes(subscribed)
    .subarray(warmUp)
    .reduce((last, at) => Math.max(last, at), 0)
  // By the slower end: until the last one was with the subscriber.
  const elapsedMs = Math.max(published.publishedMs, lastAtMs - published.beganAtMs)
  return {
    metric,
    ours: Math.round((received * 1_000) / elapsedMs),
    unit: '1/s',
    detail: {
      ...{ events, 'event-bytes': eventBytes, batch, subscriptions },
      'published-per-s': Math.round((events * 1_000) / published.publishedMs),
      'publisher-cpu-us': (published.cpuMs * 1_000) / events,
      'hub-cpu-us': (cpuMs * 1_000) / events,
      // The warm-up included.
      'store-cpu-us': (storeCpuMs * 1_000) / (events + warmUp),
    },
  }
}

export type LatencyLoad = {
  readonly perSecond: number
  readonly warmUpMs: number
  readonly measureMs: number
  readonly subscriptions: number
}

export async function measureLatency(load: LatencyLoad): Promise<BenchRow> {
  const { perSecond, warmUpMs, measureMs, subscriptions } = load
  const warmUp = Math.round((perSecond * warmUpMs) / 1_000)
  const events = Math.round((perSecond * measureMs) / 1_000)
  const { published, subscribed } = await runFlow(
    { kind: 'played', events, warmUp, load: { kind: 'open-loop', perSecond } },
    subscriptions,
  )
  const { beganAtMs, failed, lagMs } = published
  const { received, repeated } = subscribed
  if (received !== events || repeated > 0 || failed > 0)
    throw new Error(
      `${events} events were due, ${received} received, ${repeated} of them again, ${failed} calls failed`,
    )
  const latencies = toTimes(subscribed)
    .subarray(warmUp)
    .map((atMs, n) => atMs - beganAtMs - (n * 1_000) / perSecond)
    .sort()
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
  if (lagMs === null || lagMs.p99 > LAG_P99_MAX_MS)
    throw new Error(
      `the generator was ${lagMs?.p99.toFixed(1)} ms late at its p99, at most ${LAG_P99_MAX_MS} is believable (the latency's p99 was ${at(0.99).toFixed(1)} ms)`,
    )
  return {
    metric: 'publish-to-subscriber-p99-ms',
    ours: at(0.99),
    unit: 'ms',
    detail: {
      ...{ p50: at(0.5), 'p99.9': at(0.999), max: at(1) },
      ...{ 'events-per-s': perSecond, events, errors: failed },
      ...{ 'lag-p50-ms': lagMs.p50, 'lag-p99-ms': lagMs.p99 },
    },
  }
}

function toTimes({ receivedAtMs }: SubscriberResult): Float64Array {
  const bytes = new Uint8Array(Buffer.from(receivedAtMs, 'base64'))
  return new Float64Array(bytes.buffer)
}

type Flow = {
  readonly published: PublisherResult
  readonly subscribed: SubscriberResult
  readonly storeCpuMs: number
}

/** Three processes: the store, the bus with its subscriber, and whoever publishes, who is told what the subscriber has had. */
async function runFlow(publishing: Omit<PublisherOptions, 'home'>, subscriptions: number): Promise<Flow> {
  const { events, warmUp } = publishing
  const { result, storeCpuMs } = await besideStore(async (home) => {
    const subscriber = spawnScript('hub-subscriber-process.ts', { home, subscriptions, events, warmUp })
    const publisher = spawnScript('hub-publisher-process.ts', { home, ...publishing })
    try {
      const published = (async () => {
        for await (const line of readLines(publisher.stdout))
          if (line.startsWith('{')) return JSON.parse(line) as PublisherResult // our own script of this folder
        throw new Error(`whoever publishes ended with ${await publisher.exited}`)
      })()
      const tell = (received: string): void => {
        publisher.stdin.write(`${received}\n`)
        publisher.stdin.flush()
      }
      const subscribed = (async () => {
        for await (const line of readLines(subscriber.stdout)) {
          if (line === 'ready') tell('0')
          else if (line.startsWith('received ')) tell(line.slice('received '.length))
          else if (line.startsWith('{')) return JSON.parse(line) as SubscriberResult // our own script of this folder
        }
        throw new Error(`the subscriber ended with ${await subscriber.exited}`)
      })()
      subscribed.catch(() => publisher.kill('SIGKILL'))
      const done = await published
      const patience = setTimeout(() => subscriber.stdin.end(), PATIENCE_MS)
      const got = await subscribed.finally(() => clearTimeout(patience))
      return { published: done, subscribed: got }
    } finally {
      for (const child of [subscriber, publisher]) child.kill('SIGKILL')
    }
  })
  return { ...result, storeCpuMs }
}

function spawnScript(script: string, options: object): Bun.Subprocess<'pipe', 'pipe', 'inherit'> {
  const command = [process.execPath, '--no-install', join(import.meta.dir, script), JSON.stringify(options)]
  return Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
}

export async function measureClaim(load: Omit<ClaimOptions, 'home'>): Promise<BenchRow> {
  const { result } = await besideStore((home) =>
    runGeneratorProcess<ClaimResult>('hub-claim-process.ts', { ...load, home }),
  )
  if (result.bytesRead !== load.bytes)
    throw new Error(`the subscriber read ${result.bytesRead} bytes, expected ${load.bytes}`)
  return {
    metric: 'claim-check-30mb-mb',
    ours: result.grownBytes / 1e6,
    unit: 'MB',
    detail: { 'payload-mb': load.bytes / 1e6, 'before-mb': result.beforeBytes / 1e6, ms: result.elapsedMs },
  }
}

/** Runs something beside the `store` role in a process of its own, both on a new home. */
async function besideStore<Result>(
  run: (home: string) => Promise<Result>,
): Promise<{ readonly result: Result; readonly storeCpuMs: number }> {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  const command = [process.execPath, '--no-install', join(import.meta.dir, 'hub-store-process.ts'), home]
  const store = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  try {
    const { value } = await readLines(store.stdout).next()
    if (value !== 'ready') throw new Error(`the store did not start; it ended with ${await store.exited}`)
    const result = await run(home)
    await store.stdin.end()
    await store.exited
    const { user = 0, system = 0 } = toNumbers(store.resourceUsage()?.cpuTime)
    return { result, storeCpuMs: (user + system) / 1_000 }
  } finally {
    store.kill('SIGKILL')
    await store.exited
    rmSync(home, { recursive: true, force: true })
  }
}

function toNumbers(cpu: { user: number | bigint; system: number | bigint } | undefined): {
  user?: number
  system?: number
} {
  return cpu ? { user: Number(cpu.user), system: Number(cpu.system) } : {}
}
