import { formatNetwork, networkOf, parseAddress } from '../../contracts/index.ts'

/** What one customer is given of IPv6 at least (RFC 6177, 2): whoever has one address of it has all. */
const CLIENT_IPV6_BITS = 64

/**
 * Under which a client's connections and requests are counted: an IPv4 address as it is, of an IPv6 one its network of
 * 64 bits, an IPv4 address written as IPv6 as the former. What is no address is its own key.
 */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address
  const parsed = parseAddress(address)
  if (parsed === null) return address
  return parsed.length === 4 ? parsed.join('.') : formatNetwork(networkOf(parsed, CLIENT_IPV6_BITS))
}
