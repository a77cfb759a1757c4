import { toDurationMs } from './duration.ts'
import { UsageError } from './usage.ts'

const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/
const AGO = /^([1-9]\d{0,6}) ?([smhd])(?: ago)?$/

/** `now`, `2h ago`, `15m`, `2026-11-21`, `2026-11-21T20:00`, `2026-11-21T20:00:00Z`: ms since 1970. Without a zone: UTC. */
export function toTimeMs(flag: string, text: string, nowMs: number): number {
  if (text === 'now') return nowMs
  const [, count = '', unit = ''] = AGO.exec(text) ?? []
  if (unit !== '') return nowMs - toDurationMs(flag, `${count}${unit}`)
  const [iso, time, , , zone] = ISO.exec(text) ?? []
  const atMs = iso === undefined ? Number.NaN : Date.parse(time && !zone ? `${iso.replace(' ', 'T')}Z` : iso)
  if (Number.isFinite(atMs) && atMs >= 0) return atMs
  throw new UsageError(
    `${flag}: expected now, a time ago such as "2h ago" or 15m, or one such as 2026-11-21T20:00:00Z, got ${JSON.stringify(text)}`,
  )
}
