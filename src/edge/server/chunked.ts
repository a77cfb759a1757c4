import type { Limits } from '../../kernel/index.ts'
import type { EdgeProblem } from '../problem.ts'

export type ChunkedLimits = Pick<Limits, 'edgeBodyBytesMax' | 'edgeHeadBytesMax' | 'edgeFieldsMax'>
export type ChunkedRead =
  /** `data` are views of what was pushed; what follows `consumed` belongs to the next request. */
  | { readonly ok: true; readonly data: Uint8Array[]; readonly done: boolean; readonly consumed: number }
  | { readonly ok: false; readonly problem: EdgeProblem }
export type ChunkedDecoder = { push(bytes: Uint8Array): ChunkedRead }

const LINE_BYTES_MAX = 256

/** Reads content in chunks (RFC 9112, 7.1) as it comes, split anywhere. */
export function createChunkedDecoder(limits: ChunkedLimits): ChunkedDecoder {
  let line = ''
  let left = -1
  let total = 0
  let last = false
  const fail = (status: number, code: string): ChunkedRead => ({
    ok: false,
    problem: { status, code, detail: 'content: expected chunks', headers: {} },
  })
  return {
    push(bytes) {
      const data: Uint8Array[] = []
      let at = 0
      while (at < bytes.length) {
        if (left > 0) {
          const view = bytes.subarray(at, at + left)
          data.push(view)
          left -= view.length
          at += view.length
          if (left === 0) line = 'data'
          continue
        }
        line += String.fromCharCode(bytes[at] ?? 0)
        at += 1
        if (line.length > LINE_BYTES_MAX) return fail(400, 'chunk-malformed')
        if (!line.endsWith('\r\n')) continue
        if (line === 'data\r\n') {
          line = ''
          continue
        }
        if (last && line === '\r\n') return { ok: true, data, done: true, consumed: at }
        if (!last) {
          if (!/^[0-9a-fA-F]{1,13}(;[^\r\n]*)?\r\n$/.test(line)) return fail(400, 'chunk-malformed')
          left = Number.parseInt(line, 16)
          total += left
          if (total > limits.edgeBodyBytesMax) return fail(413, 'content-too-large')
          last = left === 0
        }
        line = ''
      }
      return { ok: true, data, done: false, consumed: at }
    },
  }
}
