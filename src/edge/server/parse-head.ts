import type { Limits } from '../../kernel/index.ts'
import { createFields, scanFields } from './fields.ts'
import { decideExpectsContinue, decideFraming, decideKeepsAlive } from './framing.ts'
import type { Framing, RequestHeadRead, RequestHeadRefused } from './head.ts'
import { decideHost } from './host.ts'
import type { RequestFields } from './message.ts'
import { type RefusalCode, toRefusal } from './refusals.ts'
import { parseRequestLine, USUAL_AFTER, USUAL_BEFORE, usualPathOf } from './request-line.ts'
import { parseTargetForm } from './target-form.ts'

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

/** A section that comes again on a connection is compared, not read. Longer ones are seldom, and would be kept for each connection. */
const REMEMBERED_BYTES_MAX = 2048

/** All that follows from a field section, and is the same for each request it comes with. */
type Section = {
  readonly bytes: Buffer
  readonly minorVersion: 0 | 1
  readonly fields: RequestFields
  /** Empty when there is none. */
  readonly host: string
  readonly framing: Framing
  readonly keepsAlive: boolean
  readonly expectsContinue: boolean
}

/** One for each connection: clients that keep theirs send the same fields again and again. */
export function createHeadParser(limits: HeadLimits): HeadParser {
  let last: Section | null = null
  const toSection = (bytes: Buffer, start: number, end: number, minorVersion: 0 | 1): Section | RefusalCode => {
    if (last?.minorVersion === minorVersion && isSame(last.bytes, bytes, start, end)) return last
    const section = readSection({ bytes, start, end, minorVersion, fieldsMax: limits.edgeFieldsMax })
    if (typeof section !== 'string' && end - start <= REMEMBERED_BYTES_MAX) last = section
    return section
  }
  /** Null is not a refusal: then the line is read octet by octet. */
  const parseUsual = (bytes: Buffer, start: number, end: number): RequestHeadRead | null => {
    const path = usualPathOf(bytes, start, end, limits.edgeTargetBytesMax)
    if (path === null || end - start > limits.edgeHeadBytesMax) return null
    const section = toSection(bytes, start + USUAL_BEFORE + path.length + USUAL_AFTER.length + 2, end, 1)
    return typeof section === 'string' ? null : toHead('GET', section.host, path, '', section)
  }
  return {
    parse(bytes, start, end) {
      const usual = parseUsual(bytes, start, end)
      if (usual) return usual
      const line = parseRequestLine(bytes, start, limits.edgeTargetBytesMax)
      if (end - start > limits.edgeHeadBytesMax) return refuse(line === 'target-too-long' ? line : 'head-too-large')
      if (typeof line === 'string') return refuse(line)
      const section = toSection(bytes, line.next, end, line.minorVersion)
      if (typeof section === 'string') return refuse(section)
      const target = parseTargetForm(line.target, line.method, section.host)
      if (typeof target === 'string') return refuse(target)
      return toHead(line.method, target.host, target.path, target.query, section)
    },
  }
}

function toHead(method: string, host: string, path: string, query: string, section: Section): RequestHeadRead {
  const { fields, minorVersion, framing, keepsAlive, expectsContinue } = section
  return { ok: true, method, host, path, query, fields, minorVersion, framing, keepsAlive, expectsContinue }
}

function refuse(code: RefusalCode): RequestHeadRefused {
  return { ok: false, problem: toRefusal(code) }
}

function isSame(remembered: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return remembered.length === end - start && bytes.compare(remembered, 0, remembered.length, start, end) === 0
}

type SectionToRead = {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly minorVersion: 0 | 1
  readonly fieldsMax: number
}

function readSection({ bytes, start, end, minorVersion, fieldsMax }: SectionToRead): Section | RefusalCode {
  const spans = scanFields(bytes, start, end, fieldsMax)
  if (typeof spans === 'string') return spans
  const copy = Buffer.from(bytes.subarray(start, end))
  const fields = createFields(copy, spans)
  const asked = { fields, bits: spans.bits, minorVersion }
  const host = decideHost(fields.get('host'), minorVersion)
  if (!host.ok) return host.code
  const framing = decideFraming(asked)
  if (typeof framing === 'string') return framing
  const keepsAlive = decideKeepsAlive(asked)
  if (typeof keepsAlive === 'string') return keepsAlive
  const expectsContinue = decideExpectsContinue(asked, framing)
  if (typeof expectsContinue === 'string') return expectsContinue
  return { bytes: copy, minorVersion, fields, host: host.host, framing, keepsAlive, expectsContinue }
}
