/** An IP address as its bytes: four of IPv4, sixteen of IPv6. One that IPv6 carries for IPv4 (`::ffff:192.0.2.1`) is IPv4. */
export type Address = readonly number[]

/** All addresses whose first bits are the same: those of `base` beyond `prefixBits` are zero. */
export type Network = { readonly base: Address; readonly prefixBits: number }

const IPV4_BYTES = 4
const IPV6_BYTES = 16
const IPV6_GROUPS = 8
/** RFC 4291, 2.5.5.2. */
const MAPPED_PREFIX_BITS = 96
/** Eight groups of four digits, or six and an IPv4 address with three digits to each part. */
const TEXT_CHARACTERS_MAX = 45

/**
 * Reads the textual forms of RFC 4291, 2.2 and dotted decimal without leading zeros, which some read as octal. Null for
 * anything else, a zone (`%eth0`) included.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > TEXT_CHARACTERS_MAX) return null
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Reads `address/bits` (RFC 4632, 3.1). Null for anything else, also when a bit is set beyond the prefix: that is a typing error. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/')
  const bits = text.slice(slash + 1)
  if (slash < 1 || !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return null
  const ip = text.slice(0, slash)
  const address = parseAddress(ip)
  if (address === null) return null
  const isMapped = address.length === IPV4_BYTES && ip.includes(':')
  const prefixBits = isMapped ? Number(bits) - MAPPED_PREFIX_BITS : Number(bits)
  if (prefixBits < 0 || prefixBits > address.length * 8) return null
  const network = networkOf(address, prefixBits)
  return network.base.every((byte, at) => byte === address[at]) ? network : null
}

/** The network of so many bits that an address is in; a number of bits beyond the address is the address alone. */
export function networkOf(address: Address, prefixBits: number): Network {
  const bits = Math.min(Math.max(0, prefixBits), address.length * 8)
  return { base: address.map((byte, at) => byte & maskOf(bits, at)), prefixBits: bits }
}

/** Never true across families: `::/0` holds every IPv6 address and no IPv4 one. */
export function contains(network: Network, address: Address): boolean {
  const { base, prefixBits } = network
  if (base.length !== address.length) return false
  for (let at = 0; at * 8 < prefixBits; at += 1)
    if (((address[at] ?? 0) & maskOf(prefixBits, at)) !== base[at]) return false
  return true
}

/** What `parseNetwork` reads back as the same; IPv6 in lower case with its last zeros left out. */
export function formatNetwork({ base, prefixBits }: Network): string {
  return `${base.length === IPV4_BYTES ? base.join('.') : formatIpv6(base)}/${prefixBits}`
}

/** Of the byte at a place, the bits that belong to the prefix. */
function maskOf(prefixBits: number, at: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - at * 8))
  return (0xff << (8 - bits)) & 0xff
}

function formatIpv6(bytes: Address): string {
  const groups = Array.from({ length: IPV6_GROUPS }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0))
  const used = groups.findLastIndex((group) => group !== 0) + 1
  const text = groups.slice(0, used).map((group) => group.toString(16))
  // RFC 5952, 4.2.2: the mark is not for a single group.
  if (used === IPV6_GROUPS) return text.join(':')
  return used === IPV6_GROUPS - 1 ? `${text.join(':')}:0` : `${text.join(':')}::`
}

/** By hand, as it is asked for with every request that has a token bound to a network. */
function parseIpv4(text: string): number[] | null {
  const bytes: number[] = []
  let value = 0
  let digits = 0
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? 0x2e : text.charCodeAt(at)
    if (code === 0x2e) {
      if (digits === 0) return null
      bytes.push(value)
      value = 0
      digits = 0
    } else {
      if (code < 0x30 || code > 0x39 || (digits > 0 && value === 0)) return null
      value = value * 10 + code - 0x30
      digits += 1
      if (value > 255) return null
    }
  }
  return bytes.length === IPV4_BYTES ? bytes : null
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::')
  const [head = '', tail] = halves
  if (halves.length > 2) return null
  const before = parseGroups(head, tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  if (before === null || after === null) return null
  const missing = IPV6_BYTES - before.length - after.length
  // "::" stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return null
  const bytes = [...before, ...new Array<number>(missing).fill(0), ...after]
  return isMappedIpv4(bytes) ? bytes.slice(MAPPED_PREFIX_BITS / 8) : bytes
}

/** Groups of up to four hexadecimal digits; the last may be a whole IPv4 address where the text ends with it. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [at, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    } else {
      const ipv4 = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : null
      if (ipv4 === null) return null
      bytes.push(...ipv4)
    }
  }
  return bytes
}

function isMappedIpv4(bytes: readonly number[]): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.slice(0, 10).every((byte) => byte === 0)
}
