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

type Window = { readonly head: Head<unknown>; readonly span: ByteSpan; readonly sliceBytes: number }

/** Whether slice `index` holds all that the span wants of it. */
const covers = ({ head, span, sliceBytes }: Window, index: number): boolean =>
  lengthAt(head, index) >= Math.min(sliceBytes, span.end - index * sliceBytes)

/**
 * The slices of the span that are here, in order. A span may name billions (`bytes=0-` of a disk image): then those that
 * are here are walked, which memory bounds, rather than those that are asked for.
 */
const presentIn = (window: Window, first: number, last: number): number[] => {
  const { head } = window
  const held = head.slices?.size ?? 0
  if (last - first <= held) {
    return Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((index) => covers(window, index))
  }
  const indexes = head.slices === null ? [0] : [...head.slices.keys()]
  return indexes
    .filter((index) => index >= first && index <= last && covers(window, index))
    .sort((left, right) => left - right)
}

/** Whether every byte of the span is here. An empty span is. */
export const hasSpan = <M>(head: Head<M>, { start, end }: ByteSpan, sliceBytes: number): boolean => {
  if (start >= end) return true
  if (head.sizeBytes !== null && end > head.sizeBytes) return false
  const first = Math.floor(start / sliceBytes)
  const last = Math.floor((end - 1) / sliceBytes)
  if (last - first > (head.slices?.size ?? 0)) return false
  const window = { head, span: { start, end }, sliceBytes }
  for (let index = first; index <= last; index++) if (!covers(window, index)) return false
  return true
}

/** What must be fetched for the span: whole slices, neighbours joined, in order, cut at the object's end. */
export const missingSpans = <M>(head: Head<M>, span: ByteSpan, sliceBytes: number): ByteSpan[] => {
  const sizeBytes = head.sizeBytes ?? Number.MAX_SAFE_INTEGER
  const end = Math.min(span.end, sizeBytes)
  if (span.start >= end) return []
  const first = Math.floor(span.start / sliceBytes)
  const last = Math.floor((end - 1) / sliceBytes)
  const present = presentIn({ head, span: { start: span.start, end }, sliceBytes }, first, last)
  const gaps: ByteSpan[] = []
  let next = first
  for (const index of [...present, last + 1]) {
    if (index > next) gaps.push({ start: next * sliceBytes, end: Math.min(index * sliceBytes, sizeBytes) })
    next = index + 1
  }
  return gaps
}
