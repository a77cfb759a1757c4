import type { Clock } from '../../kernel/index.ts'

const SECONDS = 10

/** How often something happened: in all, and a second over the last ten. */
export type Rate = { add(count: number): void; total(): number; perSecond(): number }

export function createRate(clock: Clock): Rate {
  const counts = new Float64Array(SECONDS)
  let second = Math.floor(clock.elapsedMs() / 1_000)
  let total = 0

  const advance = (): void => {
    const now = Math.floor(clock.elapsedMs() / 1_000)
    for (let at = Math.max(second, now - SECONDS) + 1; at <= now; at++) counts[at % SECONDS] = 0
    second = Math.max(second, now)
  }

  return {
    add(count) {
      advance()
      total += count
      counts[second % SECONDS] = (counts[second % SECONDS] ?? 0) + count
    },
    total: () => total,
    perSecond() {
      advance()
      return counts.reduce((sum, count) => sum + count, 0) / SECONDS
    },
  }
}
