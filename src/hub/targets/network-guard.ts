import { type Address, contains, type Network, parseAddress, parseNetwork } from '../../contracts/index.ts'

const IPV4_BYTES = 4

/** IANA's registry of special-purpose addresses, and multicast: nothing there is a receiver on the Internet. */
const CLOSED_IPV4 = toNetworks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])
/** All of IPv6 but global unicast is closed: loopback, link-local, unique local, multicast, what carries IPv4 in other ways. */
const OPEN_IPV6 = toNetworks(['2000::/3'])
/** Within it: protocol assignments (Teredo among them), documentation, 6to4, which carries any IPv4 address. */
const CLOSED_IPV6 = toNetworks(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
/** RFC 6052: the last four bytes are the IPv4 address that is meant. Hosts without IPv4 reach everybody through it. */
const NAT64 = toNetworks(['64:ff9b::/96'])

/**
 * Whether a webhook may go to an address: one of the Internet's, or in a network that the operator allowed. An address that
 * carries an IPv4 address (mapped, NAT64) is judged as that one. What is no address is never allowed.
 */
export function isAllowedAddress(text: string, allowed: readonly Network[]): boolean {
  const address = parseAddress(text)
  if (address === null) return false
  if (isIn(allowed, address)) return true
  const meant = isIn(NAT64, address) ? address.slice(-IPV4_BYTES) : address
  if (meant.length === IPV4_BYTES) return isIn(allowed, meant) || !isIn(CLOSED_IPV4, meant)
  return isIn(OPEN_IPV6, meant) && !isIn(CLOSED_IPV6, meant)
}

function isIn(networks: readonly Network[], address: Address): boolean {
  return networks.some((network) => contains(network, address))
}

function toNetworks(texts: readonly string[]): readonly Network[] {
  return texts.flatMap((text) => parseNetwork(text) ?? [])
}
