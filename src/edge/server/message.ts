import type { FieldLine, FieldReader } from '../http/index.ts'
import type { CancelSignal } from './cancel.ts'

/** The fields of one request. `get` reads by lower-case name, several lines joined by ", ", null when absent. */
export type RequestFields = FieldReader & {
  /** All lines as they came, names in lower case. */
  lines(): readonly FieldLine[]
}

/** A request as the server read it: whoever handles it need not ask whether another hop would read it differently. */
export type ServerRequest = {
  readonly method: string
  /** Lower-case, with the port when one was sent; empty when an HTTP/1.0 client named none. */
  readonly host: string
  /** In the one form that routing, caching and signing share (`target.ts`); `*` for OPTIONS of the server itself. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
  readonly fields: RequestFields
  readonly clientAddress: string
  /** Null when the request announced none. To be read at most once; what is not read, the server discards within its limits. */
  readonly body: ReadableStream<Uint8Array> | null
  /** Aborted when the client is known to have gone before its answer ended: by a reset, not by a FIN. Made when first asked for. */
  readonly signal: CancelSignal
}

/** What became of a request, for counting; shared between answers alike, so nothing of one request is in it. */
export type AnswerReport = {
  readonly cache: 'hit' | 'stale' | 'revalidated' | 'miss' | 'collapsed' | 'bypass' | 'none'
  /** Under which it is stored, without any token; null for what no cache sees. */
  readonly key: string | null
  readonly tags: readonly string[]
  readonly cell: string | null
}

/** An answer before it is framed: `Content-Length`, `Transfer-Encoding`, `Connection` and, unless `dated`, `Date` are the server's. */
export type Answer = {
  readonly status: number
  /** Field lines as `toHead` puts them together, `name: value\r\n` each. */
  readonly head: string
  /** Bytes of a cache are shared and not written to; a list is sent in order. */
  readonly body: Uint8Array | readonly Uint8Array[] | ReadableStream<Uint8Array> | null
  /** Of a stream, when it is known: one that ends elsewhere is cut off. Of an answer to HEAD: what a GET would bring. */
  readonly lengthBytes: number | null
  readonly report?: AnswerReport
  /** `head` has a Date, as what a cache or an origin answered keeps its own (RFC 9110, 6.6.1): the server adds none. */
  readonly dated?: boolean
  /** The connection is not to be used again. */
  readonly closes?: boolean
}

/** How an exchange ended. `bytes` counts what the kernel took of the body. */
export type Exchange = {
  readonly request: ServerRequest
  readonly answer: Answer
  readonly bytes: number
  readonly durationMs: number
  /** False when the client went away or was cut off. */
  readonly complete: boolean
}

/** The fields of an answer as text. Throws on what would split a response or is no field: that is a bug or a hostile origin. */
export function toHead(lines: Iterable<FieldLine>): string {
  let head = ''
  for (const [name, value] of lines) {
    if (!NAME.test(name) || UNSAFE.test(value))
      throw new Error(`field ${JSON.stringify(name)}: expected a token and a value without CR, LF and NUL`)
    if (FRAMING.has(name)) throw new Error(`field ${name}: expected to be left to the server, which frames answers`)
    head += `${name}: ${value}\r\n`
  }
  return head
}

/** Said twice, an answer would be framed twice. */
const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding'])
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const UNSAFE = /[\u0000\r\n]|[^\u0000-\u00ff]/
