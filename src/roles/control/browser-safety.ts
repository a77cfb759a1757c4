import { isIP } from 'node:net'
import { toProblem } from './problem.ts'

const UNSAFE_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * Refuses a request for a host name that is not ours: a web page can let its own name point here (DNS rebinding) and
 * would then be "same origin" with the console. Names that cannot be pointed elsewhere are fine: localhost and addresses.
 */
export function refuseHost(request: Request, allowedHosts: ReadonlySet<string>): Response | null {
  const name = hostNameOf(request)
  if (name !== null && isLocalName(name)) return null
  if (name !== null && allowedHosts.has(name)) return null
  return toProblem({
    status: 421,
    code: 'host-unknown',
    detail: `Host: expected localhost or an address, got ${JSON.stringify(request.headers.get('host'))}; open the console by one of these.`,
  })
}

/** For requests that are trusted because of a cookie: what changes something must come from the console's own pages. */
export function refuseForeignOrigin(request: Request): Response | null {
  if (!UNSAFE_METHODS.has(request.method)) return null
  const origin = request.headers.get('origin')
  if (origin === null && request.headers.get('sec-fetch-site') === 'same-origin') return null
  if (origin !== null && URL.canParse(origin) && new URL(origin).host === request.headers.get('host')) return null
  return toProblem({
    status: 403,
    code: 'origin-foreign',
    detail: `Origin: expected the console's own, got ${JSON.stringify(origin)}; programs authenticate with the operator token instead.`,
  })
}

/** What browsers are told with every answer. `watchOrigin` is where posters and films are. */
export function securityHeaders(watchOrigin: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    `img-src 'self' data: blob: ${watchOrigin}`,
    `media-src 'self' blob: ${watchOrigin}`,
    `connect-src 'self' ${watchOrigin}`,
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  }
}

function hostNameOf(request: Request): string | null {
  const host = request.headers.get('host')
  if (!host || host.includes(',') || !URL.canParse(`http://${host}`)) return null
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
}

function isLocalName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0
}
