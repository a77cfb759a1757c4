import type { Clock } from '../../kernel/index.ts'

/** Things a second, over the last ten whole seconds. */
export type Rate = { count(): void; perSecond(): number }

const SECONDS = 10
const SECOND_MS = 1_000

export function createRate(clock: Clock): Rate {
  const counts = new Float64Array(SECONDS + 1)
  const firstSecond = Math.floor(clock.elapsedMs() / SECOND_MS)
  let second = firstSecond

  const turn = (): void => {
    const now = Math.floor(clock.elapsedMs() / SECOND_MS)
    for (let passed = Math.min(now - second, counts.length); passed > 0; passed -= 1)
      counts[(now - passed + 1) % counts.length] = 0
    second = now
  }

  return {
    count() {
      turn()
      const at = second % counts.length
      counts[at] = (counts[at] ?? 0) + 1
    },
    perSecond() {
      turn()
      const sum = counts.reduce((all, count) => all + count, 0) - (counts[second % counts.length] ?? 0)
      return sum / Math.max(1, Math.min(SECONDS, second - firstSecond))
    },
  }
}
