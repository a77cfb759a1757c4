import type { LogRecord } from '../../engines/log/index.ts'
import type { NewDeadLetter } from '../bus/dead-letter.ts'
import type { Claim } from '../claims/claim.ts'
import { deriveId, originOf } from './derive-id.ts'
import type { Refusal } from './refusal.ts'

/** The dead letter of a refused record: the same whenever the record comes again. */
export function toLetter(
  pipe: string,
  {
    record,
    claim,
    refusal,
    failedAtMs,
  }: { record: LogRecord; claim: Claim | null; refusal: Refusal; failedAtMs: number },
): NewDeadLetter {
  const { topic, partition, offset, key, headers, value } = record
  const position = { topic, partition, offset }
  return {
    id: deriveId(pipe, originOf(position, headers), 'dead-letter'),
    kind: 'pipe',
    name: pipe,
    eventId: null,
    type: null,
    key,
    position,
    ...refusal,
    firstFailedAtMs: failedAtMs,
    headers,
    payload: claim ?? value,
  }
}
