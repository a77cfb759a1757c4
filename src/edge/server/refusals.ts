import type { EdgeProblem } from '../problem.ts'

/** Stable: clients and counters compare these. */
export type RefusalCode =
  | 'line-ending-malformed'
  | 'request-line-malformed'
  | 'method-malformed'
  | 'method-unknown'
  | 'connect-unsupported'
  | 'version-unsupported'
  | 'target-malformed'
  | 'target-too-long'
  | 'scheme-unsupported'
  | 'head-too-large'
  | 'fields-too-many'
  | 'field-folded'
  | 'field-name-malformed'
  | 'field-value-malformed'
  | 'host-missing'
  | 'host-repeated'
  | 'host-malformed'
  | 'host-differs'
  | 'content-length-repeated'
  | 'content-length-malformed'
  | 'transfer-encoding-repeated'
  | 'transfer-encoding-unsupported'
  | 'transfer-encoding-unexpected'
  | 'framing-ambiguous'
  | 'connection-malformed'
  | 'expectation-unknown'
  | 'field-repeated'
  | 'chunk-malformed'
  | 'chunk-extensions-too-long'
  | 'trailer-malformed'
  | 'content-too-large'

/** Status, and what of the request is wrong: what, expected, got, next. Nothing a client sent is repeated: it could be a token. */
const REFUSALS: Readonly<Record<RefusalCode, readonly [status: number, detail: string]>> = {
  'line-ending-malformed': [
    400,
    'line of the head: expected CRLF at its end, got a bare CR or LF; end lines with CRLF',
  ],
  'request-line-malformed': [
    400,
    'request line: expected "METHOD target HTTP/1.1" with single spaces, got something else; send exactly that',
  ],
  'method-malformed': [400, 'method: expected a token, got other characters; use a method of RFC 9110'],
  'method-unknown': [501, 'method: expected at most 32 characters, got more; use a method of RFC 9110'],
  'connect-unsupported': [
    405,
    'CONNECT: expected another method, got a request for a tunnel; use a proxy that tunnels',
  ],
  'version-unsupported': [505, 'version: expected HTTP/1.1 or HTTP/1.0, got another; speak HTTP/1.1'],
  'target-malformed': [
    400,
    'target: expected a path without empty or dot segments, encoded separators and fragments, got another form; send its plain form',
  ],
  'target-too-long': [414, 'target: expected at most edgeTargetBytesMax bytes, got more; shorten the URL'],
  'scheme-unsupported': [400, 'target: expected a path or an http: URL, got another scheme; send the path alone'],
  'head-too-large': [431, 'head: expected at most edgeHeadBytesMax bytes, got more; send fewer or shorter fields'],
  'fields-too-many': [431, 'fields: expected at most edgeFieldsMax lines, got more; send fewer'],
  'field-folded': [
    400,
    'field line: expected a name at its start, got white space (a folded line); send each field on one line',
  ],
  'field-name-malformed': [
    400,
    'field name: expected a token followed at once by a colon, got something else; correct the name',
  ],
  'field-value-malformed': [
    400,
    'field value: expected visible characters, spaces and tabs, got a control character; remove it',
  ],
  'host-missing': [400, 'Host: expected one, got none; send the host of the URL'],
  'host-repeated': [400, 'Host: expected one, got several; send it once'],
  'host-malformed': [
    400,
    'Host: expected a host name or address with or without a port, got something else; correct it',
  ],
  'host-differs': [400, 'Host: expected the host of the target, got another; send the same in both'],
  'content-length-repeated': [400, 'Content-Length: expected one, got several; send it once'],
  'content-length-malformed': [
    400,
    'Content-Length: expected a decimal number of at most 15 digits without leading zeros, got something else; correct it',
  ],
  'transfer-encoding-repeated': [400, 'Transfer-Encoding: expected one line, got several; send "chunked" once'],
  'transfer-encoding-unsupported': [501, 'Transfer-Encoding: expected "chunked", got something else; send "chunked"'],
  'transfer-encoding-unexpected': [
    400,
    'Transfer-Encoding: expected none in HTTP/1.0, got one; send Content-Length or speak HTTP/1.1',
  ],
  'framing-ambiguous': [
    400,
    'content: expected Content-Length or Transfer-Encoding, got both; send only one of the two',
  ],
  'connection-malformed': [400, 'Connection: expected a list of tokens, got something else; correct it'],
  'expectation-unknown': [417, 'Expect: expected "100-continue", got something else; send the request without it'],
  'field-repeated': [
    400,
    'fields: expected one line of a field that is no list (Authorization, Cookie, Range and their like), got several; send it once',
  ],
  'chunk-malformed': [400, 'content: expected chunks (RFC 9112, 7.1), got something else; correct the framing'],
  'chunk-extensions-too-long': [400, 'chunk extensions: expected a few bytes, got too many; send chunks without them'],
  'trailer-malformed': [400, 'trailer: expected a field line, got something else; send none, they are dropped'],
  'content-too-large': [413, 'content: expected at most edgeBodyBytesMax bytes, got more; send it in parts'],
}

/** RFC 9110, 15.5.6: a 405 names what is allowed. */
const ALLOW = { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }

/** Why a request is refused; its connection is then closed, since nothing says where the next one would begin. */
export function toRefusal(code: RefusalCode): EdgeProblem {
  const [status, detail] = REFUSALS[code]
  return { status, code, detail, headers: status === 405 ? ALLOW : {} }
}
