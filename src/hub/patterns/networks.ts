import { type Address, type Network, networkOf, parseAddress } from '../../contracts/index.ts'

/** Networks by the bits that count in them: a lookup for each number of bits that there is. */
export type Networks<T> = { readonly sizes: readonly NetworkSize<T>[] }

type NetworkSize<T> = { readonly bytes: number; readonly bits: number; readonly byBase: ReadonlyMap<string, T> }

export function createNetworks<T>(networks: Iterable<readonly [Network, T]>): Networks<T> {
  const sizes = new Map<string, { bytes: number; bits: number; byBase: Map<string, T> }>()
  for (const [{ base, prefixBits }, found] of networks) {
    const name = `${base.length}/${prefixBits}`
    const size = sizes.get(name) ?? { bytes: base.length, bits: prefixBits, byBase: new Map<string, T>() }
    size.byBase.set(toKey(base), found)
    sizes.set(name, size)
  }
  return { sizes: [...sizes.values()] }
}

export function findNetworks<T>({ sizes }: Networks<T>, value: string, visit: (found: T) => void): void {
  const address = parseAddress(value)
  if (address === null) return
  for (const { bytes, bits, byBase } of sizes) {
    if (bytes !== address.length) continue
    const found = byBase.get(toKey(networkOf(address, bits).base))
    if (found !== undefined) visit(found)
  }
}

const toKey = (address: Address): string => address.join('.')
