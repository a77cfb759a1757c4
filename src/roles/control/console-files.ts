import { stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

const SAFE_PATH = /^\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/
/** Where the build puts files whose names carry a hash of their content. */
const HASHED = '/assets/'

/**
 * The console's static files: the only thing besides `/healthz` and `/login` that anyone may read. An address without
 * an extension that a browser navigates to is a page of the app. Null when there is no such file.
 */
export async function serveConsoleFile(directory: string, request: Request): Promise<Response | null> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return null
  const { pathname } = new URL(request.url)
  const isPage = pathname === '/' || (extname(pathname) === '' && isNavigation(request))
  if (!isPage && !SAFE_PATH.test(pathname)) return null
  const path = join(directory, isPage ? 'index.html' : pathname)
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) return null
  const cacheControl = !isPage && pathname.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache'
  return new Response(Bun.file(path), { headers: { 'cache-control': cacheControl } })
}

function isNavigation(request: Request): boolean {
  const mode = request.headers.get('sec-fetch-mode')
  return mode === null ? (request.headers.get('accept') ?? '').includes('text/html') : mode === 'navigate'
}
