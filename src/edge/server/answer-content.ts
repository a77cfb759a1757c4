import type { Answer } from './message.ts'

/** How the content of an answer is sent, and the lines that say so (RFC 9112, 6). */
export type AnswerContent = {
  readonly lines: string
  /** False for what has no content whatever its body is: HEAD, 204, 304 (RFC 9110, 6.4.1). */
  readonly sent: boolean
  readonly lengthBytes: number | null
  readonly chunked: boolean
  /** It ends with the connection: of a length nobody knows, to a client that reads no chunks. */
  readonly untilClose: boolean
}

/** Throws on what is no answer: that is the handler's bug. */
export function decideAnswerContent(answer: Answer, method: string, minorVersion: 0 | 1): AnswerContent {
  const { status, body } = answer
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new Error(`status of an answer: expected 200 to 599, got ${status}; the server sends 1xx itself`)
  const declared = toLength(answer)
  if (method === 'HEAD' || status === 304) return { ...NOTHING, lines: toLengthLine(declared) }
  if (status === 204) return NOTHING
  // RFC 9110, 15.3.6: a 205 has no content, and says so.
  if (status === 205) return { ...NOTHING, lines: toLengthLine(0) }
  if (body === null) return { ...NOTHING, lines: toLengthLine(0) }
  if (declared !== null)
    return { lines: toLengthLine(declared), sent: true, lengthBytes: declared, chunked: false, untilClose: false }
  return minorVersion === 0 ? UNTIL_CLOSE : CHUNKED
}

const NOTHING: AnswerContent = { lines: '', sent: false, lengthBytes: null, chunked: false, untilClose: false }
const CHUNKED: AnswerContent = {
  lines: 'transfer-encoding: chunked\r\n',
  sent: true,
  lengthBytes: null,
  chunked: true,
  untilClose: false,
}
const UNTIL_CLOSE: AnswerContent = { lines: '', sent: true, lengthBytes: null, chunked: false, untilClose: true }

function toLength({ body, lengthBytes }: Answer): number | null {
  if (body instanceof Uint8Array) return body.byteLength
  if (body !== null && !(body instanceof ReadableStream)) return body.reduce((sum, piece) => sum + piece.byteLength, 0)
  if (lengthBytes !== null && !(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0))
    throw new Error(`lengthBytes of an answer: expected a whole number, got ${lengthBytes}; null when it is not known`)
  return lengthBytes
}

const toLengthLine = (bytes: number | null): string => (bytes === null ? '' : `content-length: ${bytes}\r\n`)
