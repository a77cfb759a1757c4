/** What a crowd needs of an answer's head (RFC 9112). Field values are as they came, without the spaces around them. */
export type ResponseHead = {
  status: number
  /** Null when the answer does not say, or is chunked. */
  contentLength: number | null
  chunked: boolean
  /** Whether the connection may carry another exchange. */
  reusable: boolean
  retryAfter: string | null
  cacheStatus: string | null
}

const CR = 13
const LF = 10
const SPACE = 32
const COLON = 58
const ZERO = 48
const PREFIX = Buffer.from('HTTP/1.')
/** `HTTP/1.1 200` */
const STATUS_FROM = 9
const STATUS_TO = 12

/** Per byte: may it stand in a field's name (RFC 9110, section 5.6.2), in its value or a reason phrase (5.5). */
const IN_NAME = tableOf((byte) => /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(byte)))
const IN_VALUE = tableOf((byte) => byte === 9 || (byte >= SPACE && byte !== 127))

/** Why these cannot be the first bytes of an answer, as soon as that is known. */
export function checkPrefix(bytes: Uint8Array, from: number): string | null {
  const to = Math.min(PREFIX.byteLength, bytes.byteLength - from)
  for (let at = 0; at < to; at++) {
    if (bytes[from + at] !== PREFIX[at]) return 'the answer does not begin with HTTP/1.'
  }
  return null
}

/** The head from `from` to `to`, which is where its empty line begins. A text says why it is none. */
export function parseResponseHead(bytes: Buffer, from: number, to: number): ResponseHead | string {
  const minor = bytes[from + PREFIX.byteLength]
  const status = readStatus(bytes, from)
  if ((minor !== ZERO && minor !== ZERO + 1) || status < 100 || status > 599) {
    return 'the status line is malformed: expected HTTP/1.1, a space and a status from 100 to 599'
  }
  const head: ResponseHead = {
    status,
    contentLength: null,
    chunked: false,
    reusable: minor !== ZERO,
    retryAfter: null,
    cacheStatus: null,
  }
  let at = skip(IN_VALUE, bytes, from + STATUS_TO)
  if (!isLineEnd(bytes, at)) return 'the status line has a control character'
  at += 2
  while (at < to) {
    const nameTo = skip(IN_NAME, bytes, at)
    if (nameTo === at || bytes[nameTo] !== COLON) return 'a header field has no proper name'
    const valueTo = skip(IN_VALUE, bytes, nameTo + 1)
    if (!isLineEnd(bytes, valueTo)) return 'a header field has a control character'
    const field = findField(bytes, at, nameTo)
    const fault = field?.read(head, bytes.toString('latin1', nameTo + 1, valueTo).trim())
    if (fault) return fault
    at = valueTo + 2
  }
  if (head.chunked && head.contentLength !== null) return 'both Transfer-Encoding and Content-Length'
  return head
}

type ReadField = (head: ResponseHead, value: string) => string | null

const FIELDS: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['content-length', readContentLength],
  ['transfer-encoding', readTransferEncoding],
  ['connection', readConnection],
  [
    'retry-after',
    (head, value) => {
      head.retryAfter ??= value
      return null
    },
  ],
  [
    'cache-status',
    (head, value) => {
      head.cacheStatus = head.cacheStatus === null ? value : `${head.cacheStatus}, ${value}`
      return null
    },
  ],
])
/** By length of the name, and compared as bytes: making a string of every name costs as much as all the rest. */
const FIELDS_OF_LENGTH: readonly (readonly Field[])[] = Array.from({ length: 32 }, (_, length) =>
  [...FIELDS].filter(([name]) => name.length === length).map(([name, read]) => ({ name: Buffer.from(name), read })),
)
type Field = { readonly name: Uint8Array; readonly read: ReadField }

function findField(bytes: Uint8Array, from: number, to: number): Field | null {
  const fields = FIELDS_OF_LENGTH[to - from]
  if (!fields) return null
  for (const field of fields) {
    if (isNamed(bytes, from, field.name)) return field
  }
  return null
}

/** `name` in lower case: letters and a hyphen, which the bit that makes letters small leaves alone. */
function isNamed(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.byteLength; at++) {
    if (((bytes[from + at] ?? 0) | 32) !== name[at]) return false
  }
  return true
}

function readContentLength(head: ResponseHead, value: string): string | null {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : -1
  if (length < 0) return 'Content-Length is not a number'
  if (head.contentLength !== null && head.contentLength !== length) return 'two Content-Lengths that differ'
  head.contentLength = length
  return null
}

function readTransferEncoding(head: ResponseHead, value: string): string | null {
  // Nothing else was asked for (no TE, no Accept-Encoding), and what it would do to the length is a guess.
  if (head.chunked || value.toLowerCase() !== 'chunked') return 'a Transfer-Encoding other than chunked'
  head.chunked = true
  return null
}

function readConnection(head: ResponseHead, value: string): string | null {
  for (const option of value.toLowerCase().split(',')) {
    if (option.trim() === 'close') head.reusable = false
  }
  return null
}

function readStatus(bytes: Uint8Array, from: number): number {
  if (bytes[from + STATUS_FROM - 1] !== SPACE) return 0
  const after = bytes[from + STATUS_TO]
  if (after !== SPACE && after !== CR) return 0
  let status = 0
  for (let at = from + STATUS_FROM; at < from + STATUS_TO; at++) {
    const digit = (bytes[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return 0
    status = status * 10 + digit
  }
  return status
}

function skip(table: Uint8Array, bytes: Uint8Array, from: number): number {
  let at = from
  while (table[bytes[at] ?? 0] === 1) at++
  return at
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF
}

function tableOf(isIn: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isIn(byte) ? 1 : 0))
}
