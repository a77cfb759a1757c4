import type { LogAppend, LogPort } from '../../engines/log/index.ts'
import { Fault, faultCode, type Limits } from '../../kernel/index.ts'
import type { Claim, Claims } from '../claims/index.ts'

/** After these nothing was appended; after any other failure it may have been, or may yet be. */
const NOTHING_APPENDED = new Set(['log-full', 'record-too-large', 'topic-invalid'])
/** What a record takes on the log beside its parts, at most. */
const RECORD_OVERHEAD_BYTES = 64

export type Appending = { readonly append: LogAppend; readonly claim: Claim | null }

/** Fault `payload-too-large` for what would not go in one append; asked before anything is appended. */
export function checkAppendBytes(bytes: number, count: number, limits: Pick<Limits, 'logRecordBytesMax'>): void {
  if (bytes + count * RECORD_OVERHEAD_BYTES <= limits.logRecordBytesMax) return
  throw new Fault(
    'payload-too-large',
    `expected at most ${limits.logRecordBytesMax} bytes in one call (logRecordBytesMax), got ${bytes} in ${count}; send them in several`,
    { detail: { bytesMax: limits.logRecordBytesMax } },
  )
}

/**
 * One append. What it refers to is kept once it is on the log, removed when it certainly is not, and left to the sweeper
 * when nobody knows.
 */
export async function appendClaimed(
  parts: { readonly log: LogPort; readonly claims: Claims },
  topic: string,
  records: readonly Appending[],
): Promise<readonly number[]> {
  const made = records.flatMap(({ claim }) => (claim ? [claim] : []))
  try {
    const offsets = await parts.log.append(
      topic,
      records.map(({ append }) => append),
    )
    if (made.length > 0) await parts.claims.confirm(made)
    return offsets
  } catch (error) {
    if (made.length > 0 && NOTHING_APPENDED.has(faultCode(error))) await parts.claims.discard(made)
    throw error
  }
}
