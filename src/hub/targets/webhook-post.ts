import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import type { WebhookAnswer } from './webhook-answer.ts'
import type { WebhookRequest } from './webhook-request.ts'

export type PostOptions = WebhookRequest & {
  readonly url: URL
  /** Where the connection goes, whatever the URL's name says by now; the name is for `Host` and for the certificate. */
  readonly address: string
  readonly signal: AbortSignal
  readonly answerBytesMax: number
  /** PEM, trusted in place of the system's. */
  readonly authorities: string | null
}

/**
 * One POST on a connection of its own: a kept one is closed by receivers just when it is used again, and that a request was
 * lost so cannot be told from its answer being lost. Redirects are answers like others. Rejects when there is no answer.
 */
export function postWebhook(options: PostOptions): Promise<WebhookAnswer> {
  const { url, body, signal } = options
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const request = send(toRequestOptions(options), (response) => {
      resolve(readAnswer(response, options.answerBytesMax, signal))
    })
    request.on('error', reject)
    request.end(body)
  })
}

function toRequestOptions({ url, address, headers, signal, authorities }: PostOptions): RequestOptions {
  const name = hostOf(url)
  return {
    method: 'POST',
    host: address,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, connection: 'close' },
    agent: false,
    signal,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(authorities === null ? {} : { ca: authorities }),
    rejectUnauthorized: true,
  } as RequestOptions // the type of node:http does not know node:https's fields
}

/** Of a name or an address, without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** The status is what counts: of a success nothing more is read, of a failure its beginning, for people. */
async function readAnswer(response: IncomingMessage, bytesMax: number, signal: AbortSignal): Promise<WebhookAnswer> {
  const status = response.statusCode ?? 0
  const isSuccess = status >= 200 && status <= 299
  const text = isSuccess ? '' : await readBeginning(response, bytesMax, signal)
  response.on('error', () => {}) // of what is given up here
  response.destroy()
  return { status, retryAfter: response.headers['retry-after'], text }
}

/** What came until it was enough, ended, broke off or was aborted. */
function readBeginning(response: IncomingMessage, bytesMax: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const done = (): void => {
      signal.removeEventListener('abort', done)
      resolve(Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8'))
    }
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.byteLength
      if (bytes >= bytesMax) done()
    })
    for (const end of ['end', 'close', 'error'] as const) response.on(end, done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
