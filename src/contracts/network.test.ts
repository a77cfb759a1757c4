import { describe, expect, test } from 'bun:test'
import { isIP } from 'node:net'
import fc from 'fast-check'
import { contains, formatNetwork, networkOf, parseAddress, parseNetwork } from './network.ts'

const v4 = fc.ipV4()
const v6 = fc.ipV6()
const address = fc.oneof(v4, v6)

describe('an address', () => {
  const cases: readonly (readonly [string, readonly number[] | null])[] = [
    ['192.0.2.1', [192, 0, 2, 1]],
    ['0.0.0.0', [0, 0, 0, 0]],
    ['255.255.255.255', [255, 255, 255, 255]],
    ['::', new Array(16).fill(0)],
    ['::1', [...new Array(15).fill(0), 1]],
    ['1::', [0, 1, ...new Array(14).fill(0)]],
    ['2001:DB8::ff00:42:8329', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::FFFF:c000:201', [192, 0, 2, 1]],
    ['0:0:0:0:0:ffff:c000:0201', [192, 0, 2, 1]],
    ['64:ff9b::192.0.2.1', [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]],
    ['', null],
    ['1.2.3', null],
    ['1.2.3.4.5', null],
    ['1.2.3.', null],
    ['.1.2.3', null],
    ['01.2.3.4', null],
    ['1.2.3.256', null],
    ['1.2.3.4 ', null],
    ['0x1.2.3.4', null],
    [':', null],
    [':::', null],
    ['1::2::3', null],
    [':1::', null],
    ['1:2:3:4:5:6:7', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['1:2:3:4::5:6:7:8', null],
    ['12345::', null],
    ['1.2.3.4::', null],
    ['::1.2.3.4:5', null],
    ['fe80::1%eth0', null],
    ['[::1]', null],
    ['::1/64', null],
  ]
  test.each(cases)('%p', (text, expected) => expect(parseAddress(text)).toEqual(expected as number[] | null))

  test('whatever the text, it is read as Node reads it, or refused', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdefF.:%/ -') })
    fc.assert(
      fc.property(fc.oneof(address, noise, fc.string()), (text) => {
        const bytes = parseAddress(text)
        const family = text.includes('%') ? 0 : isIP(text)
        expect(bytes !== null).toBe(family !== 0)
        if (bytes !== null) expect(bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a network', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7/32', '192.0.2.7/32'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:0:1::/64', '2001:db8:0:1::/64'],
    ['::/0', '::/0'],
    ['1:2:3:4:5:6:7:0/112', '1:2:3:4:5:6:7:0/112'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:0:0/95', null],
    ['192.0.2.7/24', null],
    ['2001:db8::1/64', null],
    ['192.0.2.0', null],
    ['192.0.2.0/', null],
    ['/24', null],
    ['192.0.2.0/33', null],
    ['::/129', null],
    ['192.0.2.0/024', null],
    ['192.0.2.0/+24', null],
    ['192.0.2.0/24/24', null],
    ['192.0.2.0/255.255.255.0', null],
  ]
  test.each(cases)('%p', (text, expected) => {
    const network = parseNetwork(text)
    expect(network && formatNetwork(network)).toBe(expected)
  })

  test('no text whatever throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void parseNetwork(text)))
  })

  test('what is written is read back, and holds the address it was made of', () => {
    fc.assert(
      fc.property(address, fc.nat(130), (text, bits) => {
        const parsed = parseAddress(text) ?? []
        const network = networkOf(parsed, bits)
        expect(parseNetwork(formatNetwork(network))).toEqual(network)
        expect(contains(network, parsed)).toBe(true)
      }),
    )
  })

  test('an address that differs in a bit of the prefix is outside, one that differs behind it is inside', () => {
    fc.assert(
      fc.property(address, fc.nat(128), fc.nat(127), (text, bits, flipped) => {
        const parsed = parseAddress(text) ?? []
        const bit = flipped % (parsed.length * 8)
        const other = parsed.map((byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte))
        expect(contains(networkOf(parsed, bits), other)).toBe(bit >= bits)
      }),
    )
  })

  test('families never meet', () => {
    fc.assert(
      fc.property(v4, v6, (four, six) => {
        const other = parseAddress(six) ?? []
        fc.pre(other.length === 16)
        expect(contains(networkOf(parseAddress(four) ?? [], 0), other)).toBe(false)
        expect(contains(networkOf(other, 0), parseAddress(four) ?? [])).toBe(false)
        expect(contains(networkOf(other, 0), parseAddress(`::ffff:${four}`) ?? [])).toBe(false)
      }),
    )
  })
})
