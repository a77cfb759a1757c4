import { type Address, type Network, networkOf } from '../../contracts/index.ts'
import { ADDRESS_CHARACTERS_MAX, readAddress } from './address.ts'
import { type Text, toText } from './text.ts'

/** Networks by the bits that count in them: a lookup for each number of bits that there is. */
export type Networks<T> = {
  readonly ipv4: readonly { readonly mask: number; readonly byBase: ReadonlyMap<number, T> }[]
  readonly ipv6: readonly { readonly bits: number; readonly byBase: ReadonlyMap<string, T> }[]
}

export function createNetworks<T>(networks: readonly (readonly [Network, T])[]): Networks<T> {
  const [ipv4, ipv6] = [new Map<number, Map<number, T>>(), new Map<number, Map<string, T>>()]
  for (const [{ base, prefixBits }, found] of networks) {
    if (base.length === IPV4_BYTES) put(ipv4, prefixBits, toNumber(base), found)
    else put(ipv6, prefixBits, base.join('.'), found)
  }
  return {
    ipv4: [...ipv4].map(([bits, byBase]) => ({ mask: bits === 0 ? 0 : -1 << (32 - bits), byBase })),
    ipv6: [...ipv6].map(([bits, byBase]) => ({ bits, byBase })),
  }
}

const IPV4_BYTES = 4

function put<K, T>(sizes: Map<number, Map<K, T>>, bits: number, key: K, found: T): void {
  const byBase = sizes.get(bits) ?? new Map<K, T>()
  sizes.set(bits, byBase.set(key, found))
}

const toNumber = ([first = 0, second = 0, third = 0, fourth = 0]: Address): number =>
  (first << 24) | (second << 16) | (third << 8) | fourth

export function findNetworks<T>(networks: Networks<T>, text: Text, visit: (found: T) => void): void {
  const kind = kindOf(text)
  if (kind === 'dotted') {
    const address = readDotted(text)
    if (address !== null) findIpv4(networks, address, visit)
  } else if (kind === 'colons') {
    const address = readAddress(toText(text))
    if (address?.length === IPV4_BYTES) findIpv4(networks, toNumber(address), visit)
    else if (address) findIpv6(networks, address, visit)
  }
}

function findIpv4<T>({ ipv4 }: Networks<T>, address: number, visit: (found: T) => void): void {
  for (const { mask, byBase } of ipv4) {
    const found = byBase.get(address & mask)
    if (found !== undefined) visit(found)
  }
}

function findIpv6<T>({ ipv6 }: Networks<T>, address: Address, visit: (found: T) => void): void {
  for (const { bits, byBase } of ipv6) {
    const found = byBase.get(networkOf(address, bits).base.join('.'))
    if (found !== undefined) visit(found)
  }
}

const IS_HEXADECIMAL = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') IS_HEXADECIMAL[digit.charCodeAt(0)] = 1

/** Most texts are no addresses, which their first characters tell: some digits, then a dot or a colon. */
function kindOf({ bytes, start, end }: Text): 'dotted' | 'colons' | null {
  if (end - start > ADDRESS_CHARACTERS_MAX) return null
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === 0x2e) return 'dotted'
    if (byte === 0x3a) return 'colons'
    if (IS_HEXADECIMAL[byte] === 0) return null
  }
  return null
}

/** As `readAddress` reads dotted decimals, with an integer for the address; it is asked for with every event. */
function readDotted({ bytes, start, end }: Text): number | null {
  let address = 0
  let value = 0
  let digits = 0
  let parts = 0
  for (let at = start; at <= end; at += 1) {
    const byte = at === end ? 0x2e : (bytes[at] ?? 0)
    if (byte === 0x2e) {
      if (digits === 0) return null
      address = (address << 8) | value
      parts += 1
      value = 0
      digits = 0
    } else {
      if (byte < 0x30 || byte > 0x39) return null
      value = value * 10 + byte - 0x30
      digits += 1
      if (value > 255) return null
    }
  }
  return parts === IPV4_BYTES ? address : null
}
