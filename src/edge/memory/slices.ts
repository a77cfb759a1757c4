import type { Head } from './entry.ts'

/** Bytes from `start` up to, not including, `end`. */
export type ByteSpan = { readonly start: number; readonly end: number }

/** A body of at most one slice lies in its head. */
export const isWholeInHead = (sizeBytes: number | null, sliceBytes: number): sizeBytes is number =>
  sizeBytes !== null && sizeBytes <= sliceBytes

/** Whether so many bytes can be slice `index`: all but the last are full, and while the size is unknown any may be last. */
export const fitsAsSlice = (
  { sizeBytes, sliceBytes }: { sizeBytes: number | null; sliceBytes: number },
  index: number,
  length: number,
): boolean => {
  if (!Number.isSafeInteger(index) || index < 0 || length === 0) return false
  if (sizeBytes === null) return length <= sliceBytes
  return length === Math.min(sliceBytes, sizeBytes - index * sliceBytes)
}

const lengthAt = <M>(head: Head<M>, index: number): number =>
  head.body !== null && index === 0 ? head.body.byteLength : (head.slices?.get(index)?.data.byteLength ?? 0)

/** Whether every byte of the span is here. An empty span is. */
export const hasSpan = <M>(head: Head<M>, { start, end }: ByteSpan, sliceBytes: number): boolean => {
  if (start >= end) return true
  if (head.sizeBytes !== null && end > head.sizeBytes) return false
  const first = Math.floor(start / sliceBytes)
  const last = Math.floor((end - 1) / sliceBytes)
  if (last - first > (head.slices?.size ?? 0)) return false
  for (let index = first; index <= last; index++) {
    if (lengthAt(head, index) < Math.min(sliceBytes, end - index * sliceBytes)) return false
  }
  return true
}
