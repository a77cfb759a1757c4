/**
 * Ids of signals: UUIDs of version 7 (RFC 9562) that follow from a viewer's draws and the session, so that a run can be
 * repeated. The session is part of them because it is new in each run: with the seed alone a second storm on the same
 * platform would send ids that it has seen, and a repeat has no effect there.
 */
export type SignalIdSource = {
  /** When the session began, as its id tells, ms since 1970; 0 when it does not tell. */
  readonly sessionStartMs: number
  readonly sessionHash: number
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7/

export function toSignalIdSource(sessionId: string): SignalIdSource {
  const [, high = '0', low = '0'] = UUID_V7.exec(sessionId) ?? []
  return { sessionStartMs: Number.parseInt(high + low, 16), sessionHash: hashOf(sessionId) }
}

/** `sequence` counts a viewer's signals, `chance` is a draw from 0 up to 1, `sinceMs` the time since the session began. */
export function toSignalId(
  source: SignalIdSource,
  signal: { sequence: number; chance: number; sinceMs: number },
): string {
  const time = hex(source.sessionStartMs + Math.max(0, Math.floor(signal.sinceMs)), 12).slice(-12)
  const sequence = hex(signal.sequence & 0xfff, 3)
  const mixed = Math.imul(source.sessionHash ^ signal.sequence, 0x9e3779b1) >>> 0
  const node = hex(mixed, 8)
  const random = hex(Math.floor(signal.chance * 0x1_0000_0000), 8)
  const variant = hex(0x80 | (Number.parseInt(random.slice(0, 2), 16) & 0x3f), 2)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-${variant}${random.slice(2, 4)}-${random.slice(4)}${node}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
