import type { Limits } from '../../kernel/index.ts'
import type { EdgeProblem } from '../problem.ts'
import { parseRequestTarget } from '../target.ts'
import type { RequestHeadRead, RequestHeadRefused } from './head.ts'

export type HeadLimits = Pick<Limits, 'edgeHeadBytesMax' | 'edgeFieldsMax' | 'edgeTargetBytesMax'>
export type HeadParser = {
  /**
   * Reads `bytes[start, end)`, a head with its empty line. Also to be called with what came of a head that is already
   * longer than `edgeHeadBytesMax`: it says whether the target (414) or the fields (431) are too long.
   */
  parse(bytes: Buffer, start: number, end: number): RequestHeadRead | RequestHeadRefused
}

const END = Buffer.from('\r\n\r\n')
const BARE_END = Buffer.from('\n\n')
const MIXED_END = Buffer.from('\n\r\n')

/**
 * Where the head that begins at `start` ends: the index after its empty line, -1 while that has not come. `scannedTo` is how
 * far an earlier call looked. A head whose lines end otherwise has an end too, so that it is refused at once, not timed out.
 */
export function findHeadEnd(bytes: Buffer, start: number, scannedTo: number): number {
  const from = Math.max(start, scannedTo - 3)
  const end = bytes.indexOf(END, from)
  if (end >= 0) return end + 4
  const bare = bytes.indexOf(BARE_END, from)
  if (bare >= 0) return bare + 2
  const mixed = bytes.indexOf(MIXED_END, from)
  return mixed < 0 ? -1 : mixed + 3
}

/** RFC 9112, 2.2: empty lines before a request line are skipped, at most two. To be asked again while nothing else has come. */
export function skipEmptyLines(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < start + 4 && bytes[at] === 13 && bytes[at + 1] === 10) at += 2
  return at
}

export function createHeadParser(limits: HeadLimits): HeadParser {
  return {
    parse(bytes, start, end) {
      if (end - start > limits.edgeHeadBytesMax) return refuse(431, 'head-too-large')
      const [line = '', ...fieldLines] = bytes.latin1Slice(start, end - 4).split('\r\n')
      const match = /^([A-Z]+) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/.exec(line)
      const target = match && parseRequestTarget(match[2] ?? '')
      if (!match || !target) return refuse(400, 'request-line-malformed')
      const lines = fieldLines.map((text): [string, string] => {
        const colon = text.indexOf(':')
        return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()]
      })
      const get = (name: string): string | null => lines.find(([known]) => known === name)?.[1] ?? null
      const length = get('content-length')
      return {
        ok: true,
        method: match[1] ?? '',
        host: get('host') ?? '',
        ...target,
        fields: { get, lines: () => lines },
        minorVersion: match[3] === '1' ? 1 : 0,
        framing: get('transfer-encoding')
          ? { kind: 'chunked' }
          : length === null
            ? null
            : { kind: 'length', bytes: Number(length) },
        keepsAlive: match[3] === '1' && get('connection') !== 'close',
        expectsContinue: get('expect') === '100-continue',
      }
    },
  }
}

function refuse(status: number, code: string): RequestHeadRefused {
  const problem: EdgeProblem = { status, code, detail: 'request: expected a head of HTTP/1.1', headers: {} }
  return { ok: false, problem }
}
