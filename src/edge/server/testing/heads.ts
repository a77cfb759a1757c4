import { expect } from 'bun:test'
import { DEFAULT_LIMITS } from '../../../kernel/index.ts'
import type { RequestHeadRead } from '../head.ts'
import { createHeadParser, findHeadEnd, type HeadParser, skipEmptyLines } from '../parse-head.ts'

/** What the parser makes of a text, which may be a head that does not end. */
export function readHead(
  text: string,
  parser: HeadParser = createHeadParser(DEFAULT_LIMITS),
): ReturnType<HeadParser['parse']> {
  const bytes = Buffer.from(text, 'latin1')
  const start = skipEmptyLines(bytes, 0)
  const end = findHeadEnd(bytes, start, 0)
  return parser.parse(bytes, start, end < 0 ? bytes.length : end)
}

export function acceptHead(text: string, parser?: HeadParser): RequestHeadRead {
  const head = readHead(text, parser)
  if (!head.ok) throw new Error(`expected a head, got ${head.problem.code}`)
  return head
}

export function checkRefused(text: string, status: number, code: string): void {
  const head = readHead(text)
  expect(head.ok ? 'accepted' : [head.problem.status, head.problem.code]).toEqual([status, code])
}

/** A request with these field lines, each with its CRLF, beside `Host`. */
export function toHeadText(fields: string, line = 'GET / HTTP/1.1'): string {
  return `${line}\r\nHost: a.tv\r\n${fields}\r\n`
}
