import { pause } from '../../kernel/index.ts'
import type { ProbeResult } from '../report/report.ts'
import type { Got } from './answer.ts'
import type { Client, Who } from './client.ts'
import type { Findings } from './findings.ts'
import type { ProbeLimits } from './limits.ts'

/** One invariant, watched. */
export type Probe = {
  /** Watches until the storm is over. */
  run(): Promise<void>
  result(): ProbeResult
}

/** What each probe is given of its own. */
export type ProbeParts = {
  readonly client: Client
  readonly findings: Findings
  readonly limits: ProbeLimits
  /** Viewers it may be: of every cell that is known of, each once. */
  readonly people: readonly Who[]
  /** From 0 up to but not including 1. */
  readonly random: () => number
  /** From the storm's begin. */
  readonly nowMs: () => number
  readonly stopped: AbortSignal
}

/** Tries again what fails in passing, until it has failed for `patienceMs`. */
export async function persist<T>(
  parts: Pick<ProbeParts, 'limits' | 'nowMs' | 'stopped'>,
  attempt: () => Promise<Got<T>>,
): Promise<Got<T>> {
  const { limits, nowMs, stopped } = parts
  let failedSinceMs: number | null = null
  for (;;) {
    const got = await attempt()
    if (got.kind !== 'passing') return got
    failedSinceMs ??= nowMs()
    if (nowMs() - failedSinceMs >= limits.patienceMs) return got
    await pause(limits.retryMs, stopped)
    if (stopped.aborted) return { kind: 'stopped' }
  }
}

export function pickOne<T>(random: () => number, items: readonly T[]): T | null {
  return items[Math.floor(random() * items.length)] ?? null
}
