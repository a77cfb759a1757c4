import { type Address, type Network, networkOf, parseAddress } from '../../contracts/index.ts'
import { type Text, toText } from './text.ts'

/** Networks by the bits that count in them: a lookup for each number of bits that there is. */
export type Networks<T> = { readonly sizes: readonly NetworkSize<T>[] }

type NetworkSize<T> = {
  readonly bytes: number
  readonly bits: number
  readonly byBase: ReadonlyMap<number | string, T>
}

export function createNetworks<T>(networks: Iterable<readonly [Network, T]>): Networks<T> {
  const sizes = new Map<string, { bytes: number; bits: number; byBase: Map<number | string, T> }>()
  for (const [{ base, prefixBits }, found] of networks) {
    const name = `${base.length}/${prefixBits}`
    const size = sizes.get(name) ?? { bytes: base.length, bits: prefixBits, byBase: new Map<number | string, T>() }
    size.byBase.set(toKey(base), found)
    sizes.set(name, size)
  }
  return { sizes: [...sizes.values()] }
}

export function findNetworks<T>({ sizes }: Networks<T>, text: Text, visit: (found: T) => void): void {
  if (!mayBeAddress(text)) return
  const address = parseAddress(toText(text))
  if (address === null) return
  for (const { bytes, bits, byBase } of sizes) {
    if (bytes !== address.length) continue
    const found = byBase.get(toKey(networkOf(address, bits).base))
    if (found !== undefined) visit(found)
  }
}

/** Addresses begin with a digit, a letter up to f or a colon, and are short; most texts are no such. */
function mayBeAddress({ bytes, start, end }: Text): boolean {
  const first = bytes[start] ?? 0
  return end - start <= ADDRESS_CHARACTERS_MAX && (first <= 0x3a || ((first | 0x20) >= 0x61 && (first | 0x20) <= 0x66))
}

const ADDRESS_CHARACTERS_MAX = 45

/** IPv4 as a number. */
function toKey(address: Address): number | string {
  const [first = 0, second = 0, third = 0, fourth = 0] = address
  return address.length > 4 ? address.join('.') : ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0
}
