import { type Network, networkOf, parseAddress, type ResolvedConfig } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'

/** From where a viewer asks, as the edge says; null when nobody does. */
export type ClientAddress = string | null

/** The network a viewer's tokens are to be good in; null where the configuration binds none to addresses of this kind. */
export function networkFor(from: ClientAddress, signatures: ResolvedConfig['signatures']): Network | null {
  const { bindIpv4Bits, bindIpv6Bits } = signatures
  if (bindIpv4Bits === null && bindIpv6Bits === null) return null
  const address = from === null ? null : parseAddress(from)
  // A token that is good everywhere would quietly be less than what was configured.
  if (address === null)
    throw new Fault(
      'client-address-missing',
      `path tokens are bound to the viewer's network, so the edge must say the viewer's address; got ${JSON.stringify(from)}`,
    )
  const bits = address.length === 4 ? bindIpv4Bits : bindIpv6Bits
  return bits === null ? null : networkOf(address, bits)
}
