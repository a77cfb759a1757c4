import type { Target } from '../target.ts'

export type RequestLine = {
  readonly method: 'GET' | 'POST'
  /** Comes in part from the target's own answers; nothing in it can end the line. */
  readonly path: string
  /** Sent as a bearer token. */
  readonly token: string | null
  /** JSON. */
  readonly body: string | null
}

const IS_PLAIN = /^[\x21-\x7e]*$/
const NOT_PLAIN = /[^\x21-\x7e]/gu

/** The head of a request, through its empty line, as `exchange` sends it. */
export function renderHead(target: Pick<Target, 'hostHeader'>, { method, path, token, body }: RequestLine): string {
  const start = `${method} ${encode(path)} HTTP/1.1\r\nHost: ${target.hostHeader}\r\n`
  const bearer = token === null ? '' : `Authorization: Bearer ${encode(token)}\r\n`
  const content =
    body === null ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return `${start}${bearer}${content}\r\n`
}

function encode(text: string): string {
  // A lone surrogate has no UTF-8, and encodeURIComponent would throw.
  return IS_PLAIN.test(text) ? text : text.toWellFormed().replaceAll(NOT_PLAIN, encodeURIComponent)
}
