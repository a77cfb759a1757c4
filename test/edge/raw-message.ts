/** One HTTP/1.1 message as the tests read it from the wire, by RFC 9112, 6.3 and nothing else. */
export type RawMessage = {
  readonly line: string
  /** With its first line, without the empty one. */
  readonly head: string
  readonly body: string
  /** Of the whole on the wire. */
  readonly bytes: number
}

/** The first message of `text`, null while it is incomplete. `untilClose`: the connection is at its end, which may delimit. */
export function takeMessage(
  text: string,
  { hasContent, untilClose }: { readonly hasContent: boolean; readonly untilClose: boolean },
): RawMessage | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end)
  const line = head.split('\r\n', 1)[0] ?? ''
  const rest = text.slice(end + 4)
  const content = hasContent ? takeContent(head, line, rest, untilClose) : { body: '', length: 0 }
  return content && { line, head, body: content.body, bytes: end + 4 + content.length }
}

type Content = { readonly body: string; readonly length: number }

function takeContent(head: string, line: string, rest: string, untilClose: boolean): Content | null {
  if (/^transfer-encoding: *chunked$/im.test(head)) return takeChunks(rest)
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1]
  if (length !== undefined) {
    const bytes = Number(length)
    return rest.length < bytes ? null : { body: rest.slice(0, bytes), length: bytes }
  }
  const isResponse = line.startsWith('HTTP/')
  if (!isResponse || /^HTTP\/1\.1 (?:1\d\d|204|304)/.test(line)) return { body: '', length: 0 }
  return untilClose ? { body: rest, length: rest.length } : null
}

function takeChunks(rest: string): Content | null {
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const bytes = Number.parseInt(rest.slice(at, lineEnd), 16)
    at = lineEnd + 2
    if (bytes === 0) {
      const last = rest.slice(at).startsWith('\r\n') ? at : rest.indexOf('\r\n\r\n', at) + 2
      return last < at ? null : { body, length: last + 2 }
    }
    if (rest.length < at + bytes + 2) return null
    body += rest.slice(at, at + bytes)
    at += bytes + 2
  }
}
