import type { Limits } from '../../kernel/index.ts'
import type { EdgeProblem } from '../problem.ts'
import { LF } from './octets.ts'
import { type RefusalCode, toRefusal } from './refusals.ts'

export type ChunkedLimits = Pick<Limits, 'edgeBodyBytesMax' | 'edgeHeadBytesMax' | 'edgeFieldsMax'>
export type ChunkedRead =
  /** `data` are views of what was pushed; what follows `consumed` belongs to the next request. */
  | { readonly ok: true; readonly data: Uint8Array[]; readonly done: boolean; readonly consumed: number }
  | { readonly ok: false; readonly problem: EdgeProblem }
export type ChunkedDecoder = {
  /** After a refusal it refuses again; after the end it consumes nothing. */
  push(bytes: Uint8Array): ChunkedRead
}

/** A size of 14 digits is above any limit, and with a few extensions nobody needs more. */
const SIZE_LINE_BYTES_MAX = 256
/** Extensions (RFC 9112, 7.1.1) are checked and dropped. White space before one is a known way to be read differently: refused. */
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,14})((?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*)\r\n$/
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n$/
const CRLF = '\r\n'

type Phase = 'size' | 'data-end' | 'trailer'
type State = {
  /** What line is next, once `leftBytes` of the present chunk have come. */
  phase: Phase | 'done'
  line: string
  leftBytes: number
  totalBytes: number
  /** Of all lines: small chunks with long extensions would cost more than they bring. */
  extensionBytes: number
  trailerBytes: number
  trailers: number
}

/** Reads content in chunks (RFC 9112, 7.1) as it comes, split anywhere. Trailers are checked as fields are, and dropped (7.1.2). */
export function createChunkedDecoder(limits: ChunkedLimits): ChunkedDecoder {
  const state: State = {
    phase: 'size',
    line: '',
    leftBytes: 0,
    totalBytes: 0,
    extensionBytes: 0,
    trailerBytes: 0,
    trailers: 0,
  }
  let refused: ChunkedRead | null = null
  return {
    push(bytes) {
      if (refused) return refused
      const data: Uint8Array[] = []
      let at = 0
      while (at < bytes.length && state.phase !== 'done') {
        if (state.leftBytes > 0) {
          at = takeData(state, bytes, at, data)
          continue
        }
        at = takeLine(state, bytes, at, LINES[state.phase].bytesMax(state, limits))
        const fault = readLine(state, state.phase, limits)
        if (fault === null) continue
        refused = { ok: false, problem: toRefusal(fault) }
        return refused
      }
      return { ok: true, data, done: state.phase === 'done', consumed: at }
    },
  }
}

function takeData(state: State, bytes: Uint8Array, at: number, data: Uint8Array[]): number {
  const view = bytes.subarray(at, at + state.leftBytes)
  data.push(view)
  state.leftBytes -= view.length
  return at + view.length
}

/** Takes what belongs to the present line, and never more of it than its limit. */
function takeLine(state: State, bytes: Uint8Array, at: number, bytesMax: number): number {
  const feed = bytes.indexOf(LF, at)
  const end = Math.min(feed < 0 ? bytes.length : feed + 1, at + Math.max(1, bytesMax - state.line.length))
  state.line += Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1')
  return end
}

function readLine(state: State, phase: Phase, limits: ChunkedLimits): RefusalCode | null {
  const { bytesMax, tooLong, read } = LINES[phase]
  const { line } = state
  if (!line.endsWith('\n')) return line.length < bytesMax(state, limits) ? null : tooLong
  state.line = ''
  return line.length > bytesMax(state, limits) ? tooLong : read(state, line, limits)
}

type Line = {
  readonly bytesMax: (state: State, limits: ChunkedLimits) => number
  readonly tooLong: RefusalCode
  /** Takes a whole line, its LF included, and says what comes next. */
  readonly read: (state: State, line: string, limits: ChunkedLimits) => RefusalCode | null
}

const LINES: Readonly<Record<Phase, Line>> = {
  size: { bytesMax: () => SIZE_LINE_BYTES_MAX, tooLong: 'chunk-extensions-too-long', read: readSize },
  'data-end': { bytesMax: () => CRLF.length, tooLong: 'chunk-malformed', read: readDataEnd },
  trailer: {
    bytesMax: (state, limits) => limits.edgeHeadBytesMax - state.trailerBytes,
    tooLong: 'head-too-large',
    read: readTrailer,
  },
}

function readSize(state: State, line: string, limits: ChunkedLimits): RefusalCode | null {
  const [, digits, extensions = ''] = SIZE_LINE.exec(line) ?? []
  if (digits === undefined) return 'chunk-malformed'
  state.extensionBytes += extensions.length
  if (state.extensionBytes > limits.edgeHeadBytesMax) return 'chunk-extensions-too-long'
  const sizeBytes = Number.parseInt(digits, 16)
  // Beyond 2^53 a size is no exact number.
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes > limits.edgeBodyBytesMax - state.totalBytes)
    return 'content-too-large'
  state.totalBytes += sizeBytes
  state.leftBytes = sizeBytes
  state.phase = sizeBytes === 0 ? 'trailer' : 'data-end'
  return null
}

function readDataEnd(state: State, line: string): RefusalCode | null {
  state.phase = 'size'
  return line === CRLF ? null : 'chunk-malformed'
}

function readTrailer(state: State, line: string, limits: ChunkedLimits): RefusalCode | null {
  if (line === CRLF) {
    state.phase = 'done'
    return null
  }
  if (!FIELD_LINE.test(line)) return 'trailer-malformed'
  state.trailerBytes += line.length
  state.trailers += 1
  return state.trailers > limits.edgeFieldsMax ? 'fields-too-many' : null
}
