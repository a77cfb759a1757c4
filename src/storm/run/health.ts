import type { Inside } from '../stage.ts'
import type { HealthSample } from './recovery.ts'

const ASK_EVERY_MS = 250

/** Asks the supervisor four times a second which roles are down. */
export type HealthWatch = {
  /** The roles not healthy now; null where nobody can be asked, or nobody answers. */
  down(): readonly string[] | null
  history(): readonly HealthSample[]
  /** Resolves when all are healthy, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<boolean>
  close(): void
}

export function watchHealth(inside: Pick<Inside, 'status'> | null, nowMs: () => number): HealthWatch {
  const history: HealthSample[] = []
  let isAsking = false
  const ask = async (): Promise<void> => {
    if (!inside || isAsking) return
    isAsking = true
    const atMs = nowMs()
    const down = await inside.status().then(
      (status) => status.roles.filter((role) => role.state !== 'healthy').map((role) => role.name),
      () => null,
    )
    history.push({ atMs, down })
    isAsking = false
  }
  const timer = setInterval(() => void ask(), ASK_EVERY_MS)
  return {
    down: () => history.at(-1)?.down ?? null,
    history: () => history,
    async settled(timeoutMs) {
      const deadline = performance.now() + timeoutMs
      const sinceMs = nowMs()
      while (inside && performance.now() < deadline) {
        const last = history.at(-1)
        if (last && last.atMs >= sinceMs && last.down?.length === 0) return true
        await Bun.sleep(ASK_EVERY_MS / 2)
      }
      return inside === null
    },
    close: () => clearInterval(timer),
  }
}
