import { HTTP_LIMITS } from './limits.ts'

/** Reads a chunked body (RFC 9112, section 7.1) with its trailers, a piece at a time. */
export type ChunkedBody = {
  /** Reads on from `at` and returns where it stopped: the end of the piece, of the body, or a fault. */
  read(bytes: Uint8Array, at: number): number
  isDone(): boolean
  why(): string | null
}

const CR = 13
const LF = 10
const SEMICOLON = 59
/** 2^48 bytes: exact as a number, and more than anyone has. */
const SIZE_DIGITS_MAX = 12

type Step = 'size' | 'extension' | 'size-end' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-end' | 'done'

/** `onData` is told where data lies in the piece being read. It returns why to stop, or null. */
export function createChunkedBody(onData: (bytes: Uint8Array, from: number, to: number) => string | null): ChunkedBody {
  let step: Step = 'size'
  let fault: string | null = null
  let left = 0
  let digits = 0
  let lineBytes = 0
  let trailerBytes = 0

  const endSize = (): void => {
    step = left > 0 ? 'data' : 'trailer'
    lineBytes = 0
  }
  const steps: Readonly<Record<Exclude<Step, 'data' | 'done'>, (byte: number) => string | null>> = {
    size(byte) {
      const digit = hexOf(byte)
      if (digit < 0) {
        if (digits === 0) return 'a chunk without a size'
        step = byte === CR ? 'size-end' : 'extension'
        return byte === CR || byte === SEMICOLON || isBlank(byte) ? null : 'a chunk size that is not hexadecimal'
      }
      left = left * 16 + digit
      digits += 1
      return digits > SIZE_DIGITS_MAX ? 'a chunk size of too many digits' : null
    },
    extension(byte) {
      lineBytes += 1
      if (byte === CR) step = 'size-end'
      if (byte === LF) return 'a chunk extension that ends in a bare line feed'
      return lineBytes > HTTP_LIMITS.chunkLineBytesMax ? 'a chunk extension that is too long' : null
    },
    'size-end'(byte) {
      if (byte !== LF) return 'a chunk size that does not end in CR LF'
      endSize()
      return null
    },
    'data-cr'(byte) {
      step = 'data-lf'
      return byte === CR ? null : 'a chunk longer than its size'
    },
    'data-lf'(byte) {
      step = 'size'
      digits = 0
      return byte === LF ? null : 'a chunk that does not end in CR LF'
    },
    trailer(byte) {
      trailerBytes += 1
      if (trailerBytes > HTTP_LIMITS.headBytesMax) return 'trailers that are too long'
      if (byte === CR) step = 'trailer-end'
      else lineBytes += 1
      return byte === LF ? 'a trailer that ends in a bare line feed' : null
    },
    'trailer-end'(byte) {
      trailerBytes += 1
      if (byte !== LF) return 'a trailer that does not end in CR LF'
      step = lineBytes === 0 ? 'done' : 'trailer'
      lineBytes = 0
      return null
    },
  }
  const readData = (bytes: Uint8Array, at: number): number => {
    const to = Math.min(bytes.byteLength, at + left)
    left -= to - at
    if (left === 0) step = 'data-cr'
    fault = onData(bytes, at, to)
    return to
  }

  return {
    read(bytes, from) {
      let at = from
      while (at < bytes.byteLength && fault === null && step !== 'done') {
        if (step === 'data') at = readData(bytes, at)
        else fault = steps[step](bytes[at++] ?? 0)
      }
      return at
    },
    isDone: () => step === 'done' && fault === null,
    why: () => fault,
  }
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9
}
