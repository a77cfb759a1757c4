import type { FieldLine } from '../http/index.ts'
import {
  bitOf,
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  hashOctet,
  nameAt,
  placeOfName,
  TRANSFER_ENCODING,
} from './known-fields.ts'
import type { RequestFields } from './message.ts'
import { COLON, CR, isTokenOctet, isValueOctet, isWhitespaceOctet, LF } from './octets.ts'
import type { RefusalCode } from './refusals.ts'

/** Where the lines of a field section are, by offsets from its beginning; everything in it is valid. */
export type FieldSpans = {
  readonly count: number
  /** Of the marked names (known-fields.ts) that are there. */
  readonly bits: number
  /** Per line: the name's place or -1, its end, the value's beginning and end. A name begins where the line does. */
  readonly spans: readonly number[]
}
const SPAN = 5

/** Of two lines: the code when its name says more than that something came twice. */
const REPEATED: ReadonlyMap<number, RefusalCode> = new Map([
  [HOST, 'host-repeated'],
  [CONTENT_LENGTH, 'content-length-repeated'],
  [TRANSFER_ENCODING, 'transfer-encoding-repeated'],
])
const LISTS = CONNECTION | EXPECT

/** Reads `bytes[start, end)`, field lines and the empty line after them (RFC 9112, 5). */
export function scanFields(bytes: Uint8Array, start: number, end: number, fieldsMax: number): FieldSpans | RefusalCode {
  const spans: number[] = []
  let bits = 0
  let count = 0
  let at = start
  while (at < end - 2) {
    if (count === fieldsMax) return 'fields-too-many'
    let hash = 0
    let colon = at
    for (let octet = bytes[colon] ?? 0; isTokenOctet(octet); octet = bytes[colon] ?? 0) {
      hash = hashOctet(hash, octet)
      colon += 1
    }
    if (colon === at || bytes[colon] !== COLON) return faultOfName(bytes, at, colon)
    const place = placeOfName(bytes, at, colon, hash)
    const bit = bitOf(place)
    if ((bits & bit & ~LISTS) !== 0) return REPEATED.get(bit) ?? 'field-repeated'
    bits |= bit
    let from = colon + 1
    while (isWhitespaceOctet(bytes[from] ?? 0)) from += 1
    let stop = from
    while (isValueOctet(bytes[stop] ?? 0)) stop += 1
    if (bytes[stop] !== CR || bytes[stop + 1] !== LF) return faultOfLine(bytes, stop)
    spans.push(place, at - start, colon - start, from - start, endOfValue(bytes, from, stop) - start)
    count += 1
    at = stop + 2
  }
  return bytes[at] === CR && bytes[at + 1] === LF && at === end - 2 ? { count, bits, spans } : 'line-ending-malformed'
}

function endOfValue(bytes: Uint8Array, from: number, stop: number): number {
  let end = stop
  while (end > from && isWhitespaceOctet(bytes[end - 1] ?? 0)) end -= 1
  return end
}

/** RFC 9112, 5.1 and 5.2. */
function faultOfName(bytes: Uint8Array, at: number, stop: number): RefusalCode {
  const octet = bytes[stop] ?? 0
  if (stop === at && isWhitespaceOctet(octet)) return 'field-folded'
  return octet === CR || octet === LF ? (faultOfLineEnd(bytes, stop) ?? 'field-name-malformed') : 'field-name-malformed'
}

function faultOfLine(bytes: Uint8Array, stop: number): RefusalCode {
  const octet = bytes[stop] ?? 0
  return octet === CR || octet === LF ? 'line-ending-malformed' : 'field-value-malformed'
}

/** Null for a line that ends as it should, though too early. */
function faultOfLineEnd(bytes: Uint8Array, at: number): RefusalCode | null {
  return bytes[at] === CR && bytes[at + 1] === LF ? null : 'line-ending-malformed'
}

/**
 * `section` is a copy of its own: values are made of it when they are asked for, each text apart, so that who keeps one keeps
 * no head. Names are looked for one by one: for as few as requests have, that is cheaper than any table made for it.
 */
export function createFields(section: Buffer, { count, spans }: FieldSpans): RequestFields {
  const names: string[] = []
  for (let line = 0; line < count; line += 1) names.push(nameOf(section, spans, line * SPAN))
  const values: (string | undefined)[] = []
  const valueAt = (line: number): string => {
    const known = values[line]
    if (known !== undefined) return known
    const value = section.toString('latin1', spans[line * SPAN + 3] ?? 0, spans[line * SPAN + 4] ?? 0)
    values[line] = value
    return value
  }
  let all: readonly FieldLine[] | null = null
  return {
    get(name) {
      let line = names.indexOf(name)
      if (line < 0) return null
      let value = valueAt(line)
      for (line = names.indexOf(name, line + 1); line >= 0; line = names.indexOf(name, line + 1))
        value += `, ${valueAt(line)}`
      return value
    },
    lines() {
      all ??= names.map((name, line): FieldLine => [name, valueAt(line)])
      return all
    },
  }
}

function nameOf(section: Buffer, spans: readonly number[], at: number): string {
  return nameAt(spans[at] ?? -1) ?? section.toString('latin1', spans[at + 1] ?? 0, spans[at + 2] ?? 0).toLowerCase()
}
