import type { Framing } from './head.ts'
import { CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING } from './known-fields.ts'
import type { RequestFields } from './message.ts'
import type { RefusalCode } from './refusals.ts'

/** RFC 9110, 8.6 allows any number of digits and leading zeros; some read those as octal, and 16 digits are no exact number. */
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/
/** A list (RFC 9110, 5.6.1) of connection options, which are tokens (7.6.1). */
const OPTIONS = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const CHUNKED: Framing = { kind: 'chunked' }

/** What of a field section says how its message and its connection go on. */
export type FieldsAsked = { readonly fields: RequestFields; readonly bits: number; readonly minorVersion: 0 | 1 }

/** How the content ends (RFC 9112, 6.1 and 6.3). */
export function decideFraming({ fields, bits, minorVersion }: FieldsAsked): Framing | RefusalCode {
  if ((bits & (CONTENT_LENGTH | TRANSFER_ENCODING)) === 0) return null
  if ((bits & TRANSFER_ENCODING) !== 0) {
    if ((bits & CONTENT_LENGTH) !== 0) return 'framing-ambiguous'
    if (minorVersion === 0) return 'transfer-encoding-unexpected'
    return fields.get('transfer-encoding')?.toLowerCase() === 'chunked' ? CHUNKED : 'transfer-encoding-unsupported'
  }
  const length = fields.get('content-length') ?? ''
  return LENGTH.test(length) ? { kind: 'length', bytes: Number(length) } : 'content-length-malformed'
}

/** Whether another request may follow (RFC 9112, 9.3). */
export function decideKeepsAlive({ fields, bits, minorVersion }: FieldsAsked): boolean | RefusalCode {
  if ((bits & CONNECTION) === 0) return minorVersion === 1
  const value = (fields.get('connection') ?? '').toLowerCase()
  if (value === 'keep-alive') return true
  const options = value.split(',').map((option) => option.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  if (!options.every((option) => option === '' || OPTIONS.test(option))) return 'connection-malformed'
  return !options.includes('close') && (minorVersion === 1 || options.includes('keep-alive'))
}

/** Whether it waits for a 100 (RFC 9110, 10.1.1): never in HTTP/1.0, and not without content. */
export function decideExpectsContinue(
  { fields, bits, minorVersion }: FieldsAsked,
  framing: Framing,
): boolean | RefusalCode {
  if ((bits & EXPECT) === 0) return false
  if (fields.get('expect')?.toLowerCase() !== '100-continue') return 'expectation-unknown'
  return minorVersion === 1 && framing !== null && (framing.kind === 'chunked' || framing.bytes > 0)
}
