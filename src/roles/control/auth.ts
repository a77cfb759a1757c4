import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock, Limits } from '../../kernel/index.ts'

/** Links that may wait to be used at once; the oldest goes when there are more. */
const LINKS_WAITING_MAX = 64

/**
 * Who may use control. A program sends the operator token; a browser has a session cookie that it got for a one-time
 * code. A session is its expiry and a signature by a key derived from the operator token: nothing to store, valid after a
 * restart of control, ended all at once by a new operator token.
 */
export type Auth = {
  isOperator(authorization: string | null): boolean
  /** The operator, or who has the token that opens `/metrics` and nothing else. */
  mayScrape(authorization: string | null): boolean
  isSession(cookieHeader: string | null): boolean
  /** A code that `redeem` takes once, within `consoleLinkMs`. */
  createCode(): string
  /** The `Set-Cookie` of a new session, or null: unknown, used or too old. */
  redeem(code: string): string | null
}

export function createAuth(options: {
  operatorToken: string
  metricsToken: string
  limits: Pick<Limits, 'consoleLinkMs' | 'consoleSessionMs'>
  clock: Clock
}): Auth {
  const { operatorToken, metricsToken, limits, clock } = options
  const key = Buffer.from(hkdfSync('sha256', operatorToken, '', 'tentpole console session', 32))
  // Cookies do not tell ports apart: two platforms on one machine need two names.
  const cookieName = `tentpole_console_${key.toString('hex').slice(0, 8)}`
  const codes = new Map<string, number>()

  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url')
  const dropExpired = (): void => {
    for (const [code, untilMs] of codes)
      if (untilMs <= clock.elapsedMs() || codes.size > LINKS_WAITING_MAX) codes.delete(code)
  }

  return {
    isOperator: (authorization) => isBearer(authorization, operatorToken),
    mayScrape: (authorization) => isBearer(authorization, operatorToken) || isBearer(authorization, metricsToken),
    isSession(cookieHeader) {
      const values = readCookies(cookieHeader ?? '', cookieName)
      return values.some((value) => {
        const [expiresMs = '', nonce = '', signature = ''] = value.split('.')
        return sameText(signature, sign(`${expiresMs}.${nonce}`)) && Number(expiresMs) > clock.nowMs()
      })
    },
    createCode() {
      const code = randomBytes(32).toString('base64url')
      codes.set(code, clock.elapsedMs() + limits.consoleLinkMs)
      dropExpired()
      return code
    },
    redeem(code) {
      dropExpired()
      if (!codes.delete(code)) return null
      const session = `${clock.nowMs() + limits.consoleSessionMs}.${randomBytes(12).toString('base64url')}`
      const maxAge = Math.floor(limits.consoleSessionMs / 1000)
      return `${cookieName}=${session}.${sign(session)}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict`
    },
  }
}

function isBearer(authorization: string | null, expected: string): boolean {
  const [scheme, token, ...rest] = (authorization ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' && rest.length === 0 && sameText(token ?? '', expected)
}

/** Compares in a time that says nothing about where they differ, or about the length. */
function sameText(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function readCookies(header: string, name: string): string[] {
  return header.split(';').flatMap((pair) => {
    const [key, value] = pair.trim().split('=', 2)
    return key === name && value !== undefined ? [value] : []
  })
}
