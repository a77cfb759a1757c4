import { createHash } from 'node:crypto'
import { type EventPosition, toPositionText } from '../../contracts/index.ts'

/** On a record that was put on its topic again from the dead letters: for which pipe, and from which letter. */
export const REDRIVE_HEADER = 'tentpole-redrive'

export function toRedriveHeader(pipe: string, letterId: string): string {
  return `${pipe} ${letterId}`
}

/** Other pipes of the topic have made their events of the record when it came first. */
export function isMeantFor(pipe: string, headers: Readonly<Record<string, string>>): boolean {
  const redriven = headers[REDRIVE_HEADER]
  return redriven === undefined || redriven.startsWith(`${pipe} `)
}

/**
 * What stays the same however often a record is delivered or appended again: its position, or the dead letter that it
 * was put back from (which an operator's two clicks may append twice).
 */
export function originOf(position: EventPosition, headers: Readonly<Record<string, string>>): string {
  const redriven = headers[REDRIVE_HEADER]
  return redriven === undefined ? toPositionText(position) : `redrive ${redriven}`
}

/** A UUIDv8 (RFC 9562, section 5.8) from a SHA-256 of what is given: the same parts, the same id. */
export function deriveId(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest()
  hash[6] = 0x80 | ((hash[6] ?? 0) & 0x0f)
  hash[8] = 0x80 | ((hash[8] ?? 0) & 0x3f)
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
