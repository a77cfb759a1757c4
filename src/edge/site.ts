import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Fault, type Limits } from '../kernel/index.ts'
import { decideCachePreconditions } from './http/index.ts'
import { type EdgeProblem, RETRY_SOON, toProblemAnswer } from './problem.ts'
import { type Answer, type ServerRequest, toHead } from './server/index.ts'

type SiteFile = {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Null when it is no smaller. */
  readonly gzip: Uint8Array<ArrayBuffer> | null
  readonly etag: string
  readonly contentType: string
  readonly caching: string
}

/** The watch page: a handful of files in memory, and `index.html` for every page of the application. */
export type Site = (request: ServerRequest) => Answer

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSIBLE: ReadonlySet<string> = new Set([
  '.html',
  '.js',
  '.css',
  '.json',
  '.map',
  '.webmanifest',
  '.svg',
  '.txt',
])
/** `app-1a2b3c4d.js`: the name changes with the content. */
const HASHED = /[-.][0-9a-z]{8,}\.[a-z0-9]+$/
const INDEX = '/index.html'

const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  vary: 'accept-encoding',
}

/** Reads `directory` once. Null while there is no `index.html` in it. Fault `site-too-large` beyond `siteBytesMax`. */
export function readSite(directory: string, limits: Pick<Limits, 'siteBytesMax'>): Site | null {
  const files = readFiles(directory, limits.siteBytesMax)
  const index = files.get(INDEX)
  if (!index) return null
  return (request) => {
    const { method, path } = request
    if (method !== 'GET' && method !== 'HEAD') return toProblemAnswer(onlyReads)
    const file = files.get(path === '/' ? INDEX : path) ?? (isPage(path) ? index : undefined)
    return file ? toSiteAnswer(request, file) : toProblemAnswer(noSuchPage)
  }
}

/** Paths without an extension belong to the application's router; `/_…` is kept for what is internal. */
function isPage(path: string): boolean {
  return !path.startsWith('/_') && !path.slice(path.lastIndexOf('/')).includes('.')
}

function readFiles(directory: string, bytesMax: number): Map<string, SiteFile> {
  const files = new Map<string, SiteFile>()
  let total = 0
  for (const name of listFiles(directory)) {
    const bytes = Uint8Array.from(readFileSync(name))
    total += bytes.byteLength
    if (total > bytesMax)
      throw new Fault('site-too-large', `${directory} holds more than ${bytesMax} bytes; expected a built watch page`)
    files.set(`/${relative(directory, name).split(sep).join('/')}`, toFile(name, bytes))
  }
  return files
}

function listFiles(directory: string): string[] {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return []
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function toFile(name: string, bytes: Uint8Array<ArrayBuffer>): SiteFile {
  const extension = extname(name)
  const gzip = COMPRESSIBLE.has(extension) ? Uint8Array.from(gzipSync(bytes)) : null
  return {
    bytes,
    gzip: gzip && gzip.byteLength < bytes.byteLength ? gzip : null,
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream',
    caching: HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
  }
}

function toSiteAnswer({ method, fields }: ServerRequest, file: SiteFile): Answer {
  const wantsGzip = /(?:^|,)\s*gzip\s*(?:$|,|;\s*q=(?!0(?:\.0*)?\s*(?:$|,)))/i.test(fields.get('accept-encoding') ?? '')
  const gzip = wantsGzip ? file.gzip : null
  const bytes = gzip ?? file.bytes
  // Two encodings are two representations, and a strong tag names one.
  const etag = gzip ? `"${file.etag}-gzip"` : `"${file.etag}"`
  const headers: Record<string, string> = {
    ...PAGE_HEADERS,
    'content-type': file.contentType,
    'cache-control': file.caching,
    etag,
  }
  const representation = { etag, lastModifiedMs: null }
  const isUnchanged = decideCachePreconditions({ method, fields, representation, nowMs: Date.now() }) === 'not-modified'
  if (!isUnchanged && gzip) headers['content-encoding'] = 'gzip'
  const bodiless = isUnchanged || method === 'HEAD'
  return {
    status: isUnchanged ? 304 : 200,
    head: toHead(Object.entries(headers)),
    body: bodiless ? null : bytes,
    lengthBytes: isUnchanged ? null : bytes.byteLength,
  }
}

const onlyReads: EdgeProblem = {
  status: 405,
  code: 'method-not-allowed',
  detail: 'pages are read only: expected GET or HEAD',
  headers: { allow: 'GET, HEAD' },
}
const noSuchPage: EdgeProblem = { status: 404, code: 'not-found', detail: 'there is no such page or file' }
export const siteNotBuilt: EdgeProblem = {
  status: 503,
  code: 'site-not-built',
  detail: 'the watch page has not been built yet; retry shortly',
  headers: RETRY_SOON,
}
