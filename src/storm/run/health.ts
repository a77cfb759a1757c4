import type { PlatformStatus } from '../../contracts/index.ts'
import { pause } from '../../kernel/index.ts'
import type { Inside } from '../stage.ts'
import type { HealthSample } from './recovery.ts'

const ASK_EVERY_MS = 250

/** Asks the supervisor four times a second which roles are down. */
export type HealthWatch = {
  /**
   * The roles that were down at some time since the last call, also one that died and was back between two looks, which
   * its count of restarts tells; null where nobody can be asked, or nobody answers.
   */
  takeDown(): readonly string[] | null
  history(): readonly HealthSample[]
  /** Resolves when all are healthy, or after `timeoutMs`, or once `hurry` is aborted. */
  settled(timeoutMs: number, hurry: AbortSignal): Promise<boolean>
  /** Once is enough. */
  close(): void
}

export function watchHealth(inside: Pick<Inside, 'status'> | null, nowMs: () => number): HealthWatch {
  const history: HealthSample[] = []
  const restartsSeen = new Map<string, number>()
  const downSince = new Set<string>()
  let isAsking = false
  const look = ({ roles }: PlatformStatus): string[] => {
    const down = roles.filter((role) => role.state !== 'healthy').map((role) => role.name)
    for (const name of down) downSince.add(name)
    for (const { name, restarts } of roles) {
      if (restarts > (restartsSeen.get(name) ?? restarts)) downSince.add(name)
      restartsSeen.set(name, restarts)
    }
    return down
  }
  const ask = async (): Promise<void> => {
    if (!inside || isAsking) return
    isAsking = true
    const atMs = nowMs()
    const down = await inside.status().then(look, () => null)
    history.push({ atMs, down })
    isAsking = false
  }
  const timer = setInterval(() => void ask(), ASK_EVERY_MS)
  return {
    takeDown() {
      const down = history.at(-1)?.down ?? null
      const seen = [...downSince]
      downSince.clear()
      return down === null && seen.length === 0 ? null : [...new Set([...seen, ...(down ?? [])])]
    },
    history: () => history,
    async settled(timeoutMs, hurry) {
      const deadline = performance.now() + timeoutMs
      const sinceMs = nowMs()
      while (inside && performance.now() < deadline && !hurry.aborted) {
        const last = history.at(-1)
        if (last && last.atMs >= sinceMs && last.down?.length === 0) return true
        await pause(ASK_EVERY_MS / 2, hurry)
      }
      return inside === null
    },
    close: () => clearInterval(timer),
  }
}
