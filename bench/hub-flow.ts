import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGeneratorProcess } from './generator.ts'
import type { ClaimOptions, ClaimResult } from './hub-claim-process.ts'
import type { DurableOptions, DurableResult } from './hub-durable-process.ts'
import type { LatencyOptions, LatencyResult } from './hub-latency-process.ts'
import { readLines } from './read-lines.ts'
import type { BenchRow } from './report.ts'

/** A generator later than this for one event in a hundred did not keep its rate: what it measured is no open loop. */
const LAG_P99_MAX_MS = 2

export async function measureDurable(metric: string, load: Omit<DurableOptions, 'home'>): Promise<BenchRow> {
  const { result, storeCpuMs } = await besideStore<DurableResult>('hub-durable-process.ts', load)
  const { published, received, repeated, publishedMs, receivedMs } = result
  if (received !== published || repeated > 0)
    throw new Error(`${published} events were acknowledged, ${received} received, ${repeated} of them again`)
  return {
    metric,
    // By the slower end: until the last one was with the subscriber.
    ours: Math.round((received * 1_000) / Math.max(publishedMs, receivedMs)),
    unit: '1/s',
    detail: {
      events: published,
      'event-bytes': result.eventBytes,
      batch: load.batch,
      subscriptions: load.subscriptions,
      'published-per-s': Math.round((published * 1_000) / publishedMs),
      'hub-cpu-us': (result.cpuMs * 1_000) / published,
      // The warm-up included.
      'store-cpu-us': (storeCpuMs * 1_000) / (published + load.warmUp),
    },
  }
}

export async function measureLatency(load: Omit<LatencyOptions, 'home'>): Promise<BenchRow> {
  const { result } = await besideStore<LatencyResult>('hub-latency-process.ts', load)
  const { due, received, repeated, failed, latencyMs, lagMs, elapsedMs } = result
  if (received !== due || repeated > 0 || failed > 0)
    throw new Error(`${due} events were due, ${received} received, ${repeated} of them again, ${failed} calls failed`)
  if (lagMs.p99 > LAG_P99_MAX_MS)
    throw new Error(
      `the generator was ${lagMs.p99.toFixed(1)} ms late at its p99, at most ${LAG_P99_MAX_MS} is believable (the latency's p99 was ${latencyMs.p99.toFixed(1)} ms)`,
    )
  return {
    metric: 'publish-to-subscriber-p99-ms',
    ours: latencyMs.p99,
    unit: 'ms',
    detail: {
      ...{ p50: latencyMs.p50, 'p99.9': latencyMs.p999, max: latencyMs.max },
      'events-per-s': load.perSecond,
      events: due,
      errors: failed,
      'lag-p50-ms': lagMs.p50,
      'lag-p99-ms': lagMs.p99,
      'seconds-in-all': elapsedMs / 1_000,
    },
  }
}

export async function measureClaim(load: Omit<ClaimOptions, 'home'>): Promise<BenchRow> {
  const { result } = await besideStore<ClaimResult>('hub-claim-process.ts', load)
  if (result.bytesRead !== load.bytes)
    throw new Error(`the subscriber read ${result.bytesRead} bytes, expected ${load.bytes}`)
  return {
    metric: 'claim-check-30mb-mb',
    ours: result.grownBytes / 1e6,
    unit: 'MB',
    detail: { 'payload-mb': load.bytes / 1e6, 'before-mb': result.beforeBytes / 1e6, ms: result.elapsedMs },
  }
}

/** Runs one script of this folder beside the `store` role in a process of its own, both on a new home. */
async function besideStore<Result>(
  script: string,
  load: object,
): Promise<{ readonly result: Result; readonly storeCpuMs: number }> {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  const command = [process.execPath, '--no-install', join(import.meta.dir, 'hub-store-process.ts'), home]
  const store = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  try {
    const { value } = await readLines(store.stdout).next()
    if (value !== 'ready') throw new Error(`the store did not start; it ended with ${await store.exited}`)
    const result = await runGeneratorProcess<Result>(script, { ...load, home })
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
