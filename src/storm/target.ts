import { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { describeError, Fault } from '../kernel/index.ts'

export type Resolve = (host: string) => Promise<readonly string[]>

/** What a storm may blow on. The crowd connects to `address`, which was checked, and never asks for the name again. */
export type Target = {
  /** No slash at the end. On a loopback without TLS it holds the address itself, so that nobody resolves a name twice. */
  readonly url: string
  /** As the operator wrote it, for `Host` and for the certificate. */
  readonly host: string
  readonly hostHeader: string
  readonly address: string
  readonly port: number
  readonly tls: boolean
  readonly isLoopback: boolean
  /** Certificate authorities (PEM) to trust in place of the system's; null for those. */
  readonly certificateAuthority: string | null
}

/** A port of this machine's own. */
export function loopbackTarget(port: number): Target {
  const address = '127.0.0.1'
  const hostHeader = `${address}:${port}`
  const url = `http://${hostHeader}`
  return { url, host: address, hostHeader, address, port, tls: false, isLoopback: true, certificateAuthority: null }
}

/** Where the target is connected to, as a URL: whoever asks there sends `hostHeader`, and has the certificate be for `host`. */
export function addressUrl({ address, port, tls }: Pick<Target, 'address' | 'port' | 'tls'>): string {
  return `${tls ? 'https' : 'http'}://${isIP(address) === 6 ? `[${address}]` : address}:${port}`
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')

/**
 * A storm is a denial of service to whoever did not ask for it. So every address of the target must be this machine's own
 * loopback, unless `iOwnThisTarget` is exactly its host. Faults: `target-invalid`, `target-unknown`, `target-not-loopback`,
 * `certificate-authority-invalid`.
 */
export async function checkTarget(
  url: string,
  options: {
    readonly iOwnThisTarget?: string | undefined
    /** PEM, one certificate or several; trusted in place of the system's. Only for https. */
    readonly certificateAuthority?: string | undefined
    readonly resolve?: Resolve
  } = {},
): Promise<Target> {
  const parsed = parseTargetUrl(url)
  const certificateAuthority = options.certificateAuthority ?? null
  if (certificateAuthority !== null) checkCertificateAuthority(certificateAuthority, parsed)
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  const addresses = await addressesOf(host, options.resolve ?? resolveByName)
  const strangers = addresses.filter((address) => !isLoopback(address))
  const owned = options.iOwnThisTarget?.toLowerCase().replace(/^\[|\]$/g, '')
  if (strangers.length > 0 && owned !== host)
    throw new Fault(
      'target-not-loopback',
      `${host}${isIP(host) === 0 ? ` is ${strangers.join(', ')}, which` : ''} is not this machine; a storm is an attack on whoever did not ask for it. ` +
        `If the machine is yours to break, add: --i-own-this-target ${host}${owned === undefined ? '' : ` (got ${JSON.stringify(options.iOwnThisTarget)})`}`,
    )
  const [address = ''] = addresses
  const tls = parsed.protocol === 'https:'
  const port = Number(parsed.port) || (tls ? 443 : 80)
  const isLocal = strangers.length === 0
  return {
    url: isLocal && !tls ? addressUrl({ address, port, tls }) : parsed.origin,
    host,
    hostHeader: parsed.host,
    address,
    port,
    tls,
    isLoopback: isLocal,
    certificateAuthority,
  }
}

function parseTargetUrl(text: string): URL {
  const refuse = (why: string): Fault =>
    new Fault('target-invalid', `--target: expected an address such as http://localhost:8080, got ${why}`)
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null) throw refuse(JSON.stringify(text))
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse(`the scheme "${url.protocol}"`)
  // Never repeated in the message: it ends up in terminals and logs.
  if (url.username !== '' || url.password !== '')
    throw refuse('one with a user name or a password in it; leave them out')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw refuse(`one with a path: ${JSON.stringify(text)}`)
  return url
}

/** Told here, once: later it would be a refused connection for every viewer, and no word of why. */
function checkCertificateAuthority(pem: string, { protocol }: URL): void {
  const refuse = (why: string, cause?: unknown): Fault =>
    new Fault('certificate-authority-invalid', `certificate authority: expected certificates in PEM, got ${why}`, {
      cause,
    })
  if (protocol !== 'https:') throw refuse('one for an http target, which shows no certificate; leave it out')
  const certificates = pem.match(CERTIFICATE) ?? []
  if (certificates.length === 0)
    throw refuse('no "-----BEGIN CERTIFICATE-----"; give the certificate itself, not its key')
  for (const [at, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate)
    } catch (error) {
      throw refuse(`one that cannot be read, number ${at + 1} of ${certificates.length}`, error)
    }
  }
}

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  let addresses: readonly string[]
  try {
    addresses = await resolve(host)
  } catch (error) {
    throw new Fault('target-unknown', `${host} has no address: ${describeError(error)}; check the name`, {
      cause: error,
    })
  }
  const [first] = addresses
  if (first === undefined) throw new Fault('target-unknown', `${host} has no address; check the name`)
  return addresses
}

function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** IPv4 first: what listens on "localhost" does not always listen on ::1. */
async function resolveByName(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true })
  return found.sort((a, b) => a.family - b.family).map(({ address }) => address)
}
