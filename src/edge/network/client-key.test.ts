import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { clientKey } from './index.ts'

const cases: readonly (readonly [address: string, key: string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::7', '2001:db8::/64'],
  ['::1', '::/64'],
  ['', ''],
  ['no:address', 'no:address'],
]
test.each(cases)('%p is counted under %p', (address, key) => expect(clientKey(address)).toBe(key))

test('whoever has a network of 64 bits is one client, and the next network another', () => {
  const group = fc.nat(0xffff).map((value) => value.toString(16))
  const half = fc.array(group, { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(half, half, half, (network, one, two) => {
      const at = (host: readonly string[], groups = network): string => [...groups, ...host].join(':')
      fc.pre(network.some((each) => each !== '0'))
      expect(clientKey(at(one))).toBe(clientKey(at(two)))
      const next = [...network.slice(0, 3), (Number.parseInt(network[3] ?? '', 16) ^ 1).toString(16)]
      fc.pre(next.some((each) => each !== '0'))
      expect(clientKey(at(one, next))).not.toBe(clientKey(at(one)))
    }),
  )
})
