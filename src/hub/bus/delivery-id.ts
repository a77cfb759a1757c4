import { createHash } from 'node:crypto'
import type { AnyEvent } from '../../contracts/index.ts'

type Identified = Pick<AnyEvent, 'id' | 'source'>

/**
 * What a subscriber dedupes by: `<event id>_<source>`, of the source the first 16 hexadecimal digits of its SHA-256, since ids are unique
 * only within a source (CloudEvents 1.0, 3.1.1) and sources are of any length. An event that its publisher repeats keeps it.
 */
export function toDeliveryId({ id, source }: Identified): string {
  return `${id}_${toDigits(source)}`
}

/** In a replay: `~<replay id>` behind it. */
export function toReplayedId(deliveryId: string, replayId: string): string {
  return `${deliveryId}~${replayId}`
}

/** The same, for the many events of few sources. */
export function createDeliveryIds(): (event: Identified) => string {
  const known = new Map<string, string>()
  return ({ id, source }) => {
    let digits = known.get(source)
    if (digits === undefined) {
      if (known.size >= SOURCES_MAX) known.clear()
      digits = toDigits(source)
      known.set(source, digits)
    }
    return `${id}_${digits}`
  }
}

const DIGITS = 16
const SOURCES_MAX = 1_024

function toDigits(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, DIGITS)
}
