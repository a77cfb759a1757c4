import type { Clock, Limits } from '../../kernel/index.ts'
import { createTopKeys, type TopKey, type TopOutcome } from '../memory/index.ts'

export type TopObjects = {
  count(key: string, bytes: number, outcome: TopOutcome): void
  byRequests(n: number): TopKey[]
  byBytes(n: number): TopKey[]
}

/** Requests after which the rate is looked at again. */
const ROUND = 1_024
/** Of an object's name. */
const KEY_CHARACTERS_MAX = 256

/**
 * The objects asked for most, and those that cost most bytes. A sketch costs up to a microsecond a request: above so many
 * requests a second, one in k, drawn by lot, is counted k times.
 */
export function createTopObjects(options: {
  readonly clock: Clock
  readonly limits: Pick<Limits, 'meterObjectsMax' | 'meterObjectsPerSecondMax'>
  readonly random: () => number
}): TopObjects {
  const { clock, limits, random } = options
  const byRequests = createTopKeys({ keysMax: limits.meterObjectsMax })
  const byBytes = createTopKeys({ keysMax: limits.meterObjectsMax, by: 'bytes' })
  let times = 1
  let skip = 0
  let left = ROUND
  let roundAtMs = clock.elapsedMs()

  const nextRound = (): void => {
    const nowMs = clock.elapsedMs()
    times = timesFor(ROUND, nowMs - roundAtMs, limits.meterObjectsPerSecondMax)
    left = ROUND
    roundAtMs = nowMs
  }

  return {
    count(key, bytes, outcome) {
      left -= 1
      if (left === 0) nextRound()
      if (skip > 0) {
        skip -= 1
        return
      }
      // Skips k - 1 on average.
      if (times > 1) skip = Math.floor(random() * (2 * times - 1))
      const object = toObjectName(key)
      byRequests.count(object, bytes, outcome, times)
      byBytes.count(object, bytes, outcome, times)
    },
    byRequests: byRequests.top,
    byBytes: byBytes.top,
  }
}

/** The k of one in k. */
export function timesFor(requests: number, tookMs: number, perSecondMax: number): number {
  const perSecond = tookMs > 0 ? (requests * 1000) / tookMs : Infinity
  return Math.max(1, Math.min(requests, Math.ceil(perSecond / perSecondMax)))
}

/** The address without its query, which may carry what is nobody's business, and without its variant. */
export function toObjectName(key: string): string {
  const query = key.indexOf('?')
  const variant = key.indexOf('\n')
  const end = Math.min(query < 0 ? key.length : query, variant < 0 ? key.length : variant, KEY_CHARACTERS_MAX)
  return end === key.length ? key : key.slice(0, end)
}
