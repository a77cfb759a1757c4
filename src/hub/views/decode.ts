import type { CloudEvent, Registry } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import type { Logger } from '../../kernel/index.ts'
import { createDecoder, type Decoded, type LoadClaim } from '../bus/decode.ts'
import { decodeOrSkip } from '../subscribe.ts'

const LOAD_RETRY_MS = 50

/** Whose events a view sees, and where data comes from that went by claim check. */
export type ViewEvents = { readonly registry: Registry; readonly loadClaim: LoadClaim }

/** Null for what is no event of theirs. A promise only where data must be loaded; fault `closed` when `closed` ends that. */
export type DecodeRecord = (record: LogRecord) => CloudEvent | null | Promise<CloudEvent | null>

/** Of the platform's events when `events` is not given. */
export function createRecordDecoder(options: {
  events: ViewEvents | undefined
  logger: Logger
  closed: AbortSignal
}): DecodeRecord {
  const { events, logger, closed } = options
  if (!events) return (record) => decodeOrSkip(record, logger)
  const decoder = createDecoder({ ...events, logger, retryMs: LOAD_RETRY_MS })
  const on = { signal: closed }
  return (record) => {
    const decoded = decoder.decode(record, on)
    return decoded instanceof Promise ? decoded.then(toSeen) : toSeen(decoded)
  }
}

function toSeen(decoded: Decoded | null): CloudEvent | null {
  // A definition for a user's registry takes `AnyEvent`, which this is; its types are not among those TypeScript knows here.
  return (decoded?.seen ?? null) as CloudEvent | null
}
