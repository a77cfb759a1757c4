/** Bounds of talking to origins. Every wait, count and size of this folder is one of these. */
export type OriginLimits = {
  /** From asking for a connection until it stands. */
  readonly connectMs: number
  /** From the whole request being sent until the head of the response. */
  readonly headMs: number
  /** Between two pieces of a body, counted only while somebody wants the next one. */
  readonly betweenBytesMs: number
  /** The whole exchange, body included, however slowly it is read. */
  readonly wholeMs: number
  /** What failing over may add to one request in all: the origins asked after the first share it. */
  readonly failoverMs: number
  /** Origins one request may be sent to. */
  readonly triesMax: number
  /** Failures in a row after which an origin is down. */
  readonly failuresMax: number
  /** An origin that is down is tried again after this long, doubling up to the maximum, less up to half by chance. */
  readonly retryMs: number
  readonly retryMsMax: number
  /** Connections to one origin, and how many of them may stay open unused. */
  readonly connectionsMax: number
  readonly connectionsIdleMax: number
  /** Field section of a response, bytes. */
  readonly headBytesMax: number
}

export const ORIGIN_LIMITS: OriginLimits = {
  connectMs: 1_000,
  headMs: 15_000,
  betweenBytesMs: 10_000,
  wholeMs: 3_600_000,
  failoverMs: 800,
  triesMax: 3,
  failuresMax: 3,
  retryMs: 250,
  retryMsMax: 10_000,
  connectionsMax: 512,
  connectionsIdleMax: 64,
  headBytesMax: 32_768,
}

/** Every fault of a set of limits at once; empty when it is sound. */
export function checkOriginLimits(limits: OriginLimits): string[] {
  const faults = Object.entries(limits)
    .filter(([, value]) => !(Number.isSafeInteger(value) && value > 0))
    .map(([name, value]) => `${name}: expected a whole number above 0, got ${value}`)
  if (limits.failoverMs >= 1_000)
    faults.push(`failoverMs: expected below 1000 (a dead origin is left within a second), got ${limits.failoverMs}`)
  if (limits.retryMs > limits.retryMsMax)
    faults.push(`retryMs: expected at most retryMsMax ${limits.retryMsMax}, got ${limits.retryMs}`)
  return faults
}
