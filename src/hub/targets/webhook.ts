import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Network } from '../../contracts/index.ts'
import { type Clock, describeError, Fault, type Limits } from '../../kernel/index.ts'
import type { Delivery, Outcome, Target } from '../bus/target.ts'
import { isAllowedAddress } from './network-guard.ts'
import { parseWebhookSecret } from './standard-webhooks.ts'
import { unlessAborted } from './unless-aborted.ts'
import { decideWebhookOutcome, type WebhookAnswer } from './webhook-answer.ts'
import { hostOf, postWebhook } from './webhook-post.ts'
import { toWebhookRequest, type WebhookRequest } from './webhook-request.ts'

export type WebhookTargetOptions = {
  readonly url: string
  /** Newest first; several while receivers change from one to the next. */
  readonly secrets: readonly [string, ...string[]]
  /** Networks that are no part of the Internet and may be reached all the same. */
  readonly allowedNetworks: readonly Network[]
  /** Put before a claim's reference, so that it is an address the receiver can read the data at; null: the reference as it is. */
  readonly payloadBase: string | null
  /** PEM, trusted in place of the system's; null: the system's. */
  readonly authorities: string | null
  readonly limits: Pick<Limits, 'hubWebhookAnswerBytesMax' | 'hubWebhookAddressesMax' | 'hubWebhookRetryAfterMaxMs'>
  readonly clock: Clock
  /** The addresses of a name; `node:dns` by default. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
}

/** Nothing was sent when the connection failed so: the next address may be tried. */
const UNREACHED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

/**
 * POSTs each delivery as Standard Webhooks say (`docs/webhooks.md`). A name is resolved once for each attempt, every address
 * checked, and the connection made to a checked address, so that a name cannot mean another one a moment later. Faults at
 * creation: `webhook-url-invalid`, `webhook-address-refused`, `webhook-secret-invalid`.
 */
export function createWebhookTarget(options: WebhookTargetOptions): Target {
  const { limits, clock, payloadBase, resolve = resolveByDns } = options
  const url = parseWebhookUrl(options.url, options.allowedNetworks)
  const keys = options.secrets.map(parseWebhookSecret)

  const attempt = async (request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> => {
    const addresses = await unlessAborted(addressesOf(url, resolve), signal)
    const allowed = addresses.filter((address) => isAllowedAddress(address, options.allowedNetworks))
    if (allowed.length === 0) throw toRefused(hostOf(url))
    return postToFirst(allowed.slice(0, limits.hubWebhookAddressesMax), (address) =>
      postWebhook({
        ...request,
        url,
        address,
        signal,
        answerBytesMax: limits.hubWebhookAnswerBytesMax,
        authorities: options.authorities,
      }),
    )
  }
  return {
    kind: 'webhook',
    description: describeWebhookUrl(url),
    async deliver(delivery: Delivery): Promise<Outcome> {
      const { signal } = delivery
      try {
        const request = toWebhookRequest(delivery, { keys, nowMs: clock.nowMs(), payloadBase })
        const answer = await unlessAborted(attempt(request, signal), signal)
        return decideWebhookOutcome(answer, clock.nowMs(), limits.hubWebhookRetryAfterMaxMs)
      } catch (error) {
        return {
          kind: 'failed',
          reason: `no answer from ${describeWebhookUrl(url)}: ${describeFailure(error, signal)}`,
        }
      }
    },
  }
}

/** Fault `webhook-url-invalid`; `webhook-address-refused` for one that names a closed address itself. */
export function parseWebhookUrl(text: string, allowed: readonly Network[]): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Fault('webhook-url-invalid', 'expected an address that begins with https:// or http://')
  if (url.username !== '' || url.password !== '')
    throw new Fault(
      'webhook-url-invalid',
      'expected an address without user and password: the signature says who sends',
    )
  const host = hostOf(url)
  if (isIP(host) !== 0 && !isAllowedAddress(host, allowed)) throw toRefused(host)
  return url
}

/** Paths and queries of webhooks carry tokens as often as not. */
export function describeWebhookUrl(url: URL): string {
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`
}

async function addressesOf(
  url: URL,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const host = hostOf(url)
  return isIP(host) === 0 ? resolve(host) : [host]
}

/** IPv4 first: where a host has no way to IPv6, trying it first would cost every delivery a failure. */
async function resolveByDns(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true })
  return found.toSorted((one, other) => one.family - other.family).map(({ address }) => address)
}

async function postToFirst(
  addresses: readonly string[],
  post: (address: string) => Promise<WebhookAnswer>,
): Promise<WebhookAnswer> {
  let failure: unknown
  for (const address of addresses) {
    try {
      return await post(address)
    } catch (error) {
      if (!isUnreached(error)) throw error
      failure = error
    }
  }
  throw failure
}

/** Of an error of the network its code, since the message has the address that a name resolved to. */
function describeFailure(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return describeError(signal.reason)
  return error instanceof Error && !(error instanceof Fault) && 'code' in error
    ? String(error.code)
    : describeError(error)
}

function isUnreached(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNREACHED.has(String(error.code))
}

/** Without what the name resolved to: a spoke that may name a webhook must not learn the inner network by it. */
function toRefused(host: string): Fault {
  return new Fault(
    'webhook-address-refused',
    `expected an address on the Internet, got ${host}; an inner network must be allowed by hub.webhookNetworks`,
  )
}
