import type { EventPosition } from '../../contracts/index.ts'
import type { LogAppend, LogPort, LogRecord } from '../../engines/log/index.ts'
import { type Clock, Fault, type Limits } from '../../kernel/index.ts'
import { CLAIM_HEADER, type Claim, type Claims, checkFresh, parseClaimHeader, toClaimHeader } from '../claims/index.ts'
import { type Admission, type AdmissionLimits, createAdmission } from './admission.ts'
import { type Appending, appendClaimed, checkAppendBytes } from './append.ts'
import { isStream, takeSmall } from './gather.ts'
import { keepPace, type PaceLimits } from './keep-pace.ts'
import type { EventError } from './new-event.ts'

/** A raw record for a pipe: whatever bytes somebody has. */
export type NewRecord = {
  readonly key: string
  /** Names of letters, digits, `.`, `_` and `-`, not beginning with `tentpole-`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Uint8Array | ReadableStream<Uint8Array>
}

export type RecordAppender = {
  /**
   * Appends records to one topic; all durable, in this order, when it resolves. Bodies above `hubClaimBytesMin` go by claim
   * check. Faults: `record-invalid` (`detail.errors` names index, path and detail; nothing was taken), and those of
   * `Producer.publish`.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<readonly EventPosition[]>
}

export type RecordLimits = AdmissionLimits &
  PaceLimits &
  Pick<
    Limits,
    | 'hubClaimBytesMin'
    | 'hubClaimGraceMs'
    | 'hubRecordBytesMax'
    | 'hubKeyBytesMax'
    | 'hubHeadersMax'
    | 'hubHeadersBytesMax'
    | 'logRecordBytesMax'
  >

const HEADER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
/** Headers of ours, which nobody else sets: they say where bytes are. */
const RESERVED = 'tentpole-'

export function createRecordAppender(options: {
  log: LogPort
  claims: Claims
  limits: RecordLimits
  clock: Clock
}): RecordAppender {
  const { log, claims, limits, clock } = options
  const admission: Admission = createAdmission(limits)

  const toAppending = async ({ key, headers = {}, body }: NewRecord): Promise<Appending> => {
    const taken = await takeSmall(isStream(body) ? keepPace(body, { limits, clock }) : body, limits.hubClaimBytesMin)
    if (taken instanceof Uint8Array && taken.byteLength <= limits.hubClaimBytesMin)
      return { append: { key, headers, value: taken }, claim: null }
    const claim = await claims.put(taken, {
      bytesMax: limits.hubRecordBytesMax,
      eventId: `record ${key}`.slice(0, 200),
    })
    const append: LogAppend = {
      key,
      headers: { ...headers, [CLAIM_HEADER]: toClaimHeader(claim) },
      value: new Uint8Array(0),
    }
    return { append, claim }
  }

  return {
    async append(topic, records) {
      if (records.length === 0) return []
      checkRecords(records, limits)
      const begunAtMs = clock.elapsedMs()
      const admitted = admission.enter(measureRecords(records, limits))
      const appendings: Appending[] = []
      try {
        for (const record of records) appendings.push(await toAppending(record))
        const bytes = appendings.reduce((sum, { append }) => sum + append.value.byteLength, 0)
        checkAppendBytes(bytes, records.length, limits)
        if (appendings.some(({ claim }) => claim)) checkFresh(begunAtMs, { clock, limits })
      } catch (error) {
        admitted.leave()
        await claims.discard(appendings.flatMap(({ claim }) => (claim ? [claim] : [])))
        throw error
      }
      try {
        const offsets = await appendClaimed({ log, claims }, topic, appendings)
        return offsets.map((offset) => ({ topic, partition: 0, offset }))
      } finally {
        admitted.leave()
      }
    },
  }
}

function measureRecords(records: readonly NewRecord[], limits: RecordLimits): number {
  const measure = ({ body }: NewRecord): number =>
    body instanceof Uint8Array ? body.byteLength : limits.hubClaimBytesMin
  return records.reduce((sum, record) => sum + measure(record), 0)
}

function checkRecords(records: readonly NewRecord[], limits: RecordLimits): void {
  const errors = records.flatMap((record, index) => checkRecord(record, limits).map((error) => ({ index, ...error })))
  if (errors.length === 0) return
  const sentences = errors.slice(0, 10).map(({ index, path, detail }) => `records.${index}.${path}: ${detail}`)
  throw new Fault('record-invalid', `${sentences.join('; ')}; nothing was appended`, { detail: { errors } })
}

function checkRecord({ key, headers = {} }: NewRecord, limits: RecordLimits): readonly Omit<EventError, 'index'>[] {
  const errors: Omit<EventError, 'index'>[] = []
  const keyBytes = Buffer.byteLength(key)
  if (keyBytes > limits.hubKeyBytesMax)
    errors.push({ path: 'key', detail: `expected at most ${limits.hubKeyBytesMax} bytes, got ${keyBytes}` })
  const entries = Object.entries(headers)
  if (entries.length > limits.hubHeadersMax)
    errors.push({ path: 'headers', detail: `expected at most ${limits.hubHeadersMax}, got ${entries.length}` })
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (bytes > limits.hubHeadersBytesMax)
    errors.push({ path: 'headers', detail: `expected at most ${limits.hubHeadersBytesMax} bytes, got ${bytes}` })
  for (const [name] of entries.slice(0, limits.hubHeadersMax)) {
    const path = `headers.${name.slice(0, 100)}`
    if (!HEADER_NAME.test(name))
      errors.push({ path, detail: 'expected a name of 1 to 100 letters, digits, ".", "_" and "-"' })
    else if (name.toLowerCase().startsWith(RESERVED))
      errors.push({ path, detail: `expected another name: those beginning with ${RESERVED} are the hub's own` })
  }
  return errors
}

/** A raw record's body, wherever it lies. */
export type OpenedRecord = {
  /** What stands for it; null when it is in the record. */
  readonly claim: Claim | null
  /** To be read once; errors with `claim-damaged` in place of its end. Fault `claim-missing`. */
  stream(): Promise<ReadableStream<Uint8Array>>
  /** Faults: `claim-missing`, `claim-damaged`, `payload-too-large`. */
  bytes(): Promise<Uint8Array>
}

/** Fault `claim-invalid` when the record's header is no claim. */
export function createRecordOpener(options: {
  claims: Claims
  limits: Pick<Limits, 'hubRecordBytesMax'>
}): (record: Pick<LogRecord, 'headers' | 'value'>) => OpenedRecord {
  const { claims, limits } = options
  return ({ headers, value }) => {
    const header = headers[CLAIM_HEADER]
    if (header === undefined)
      return {
        claim: null,
        stream: async () => new Blob([Buffer.from(value)]).stream(),
        bytes: async () => value,
      }
    const claim = parseClaimHeader(header)
    return {
      claim,
      stream: () => claims.stream(claim),
      bytes: () => claims.bytes(claim, limits.hubRecordBytesMax),
    }
  }
}
