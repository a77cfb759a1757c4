import { expect, test } from 'bun:test'
import { parseNetwork } from '../../contracts/index.ts'
import { isAllowedAddress } from './network-guard.ts'

const CLOSED = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '192.0.0.8',
  '198.18.0.1',
  '224.0.0.1',
  '239.255.255.250',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::808:808',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '100::1',
  '',
  'localhost',
  '0x7f.1',
  '2130706433',
  '010.0.0.1',
]
const OPEN = ['1.1.1.1', '172.15.0.1', '172.32.0.1', '8.8.8.8', '2606:4700::1111', '64:ff9b::808:808', '::ffff:8.8.8.8']

test.each(CLOSED)('%s is closed', (address) => expect(isAllowedAddress(address, [])).toBe(false))
test.each(OPEN)('%s is open', (address) => expect(isAllowedAddress(address, [])).toBe(true))

test('what the operator allows is open, and nothing beside it', () => {
  const allowed = ['10.1.0.0/16', 'fd00::/8'].flatMap((text) => parseNetwork(text) ?? [])
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd12::1'])
    expect([address, isAllowedAddress(address, allowed)]).toEqual([address, true])
  for (const address of ['10.2.0.1', '127.0.0.1', 'fc00::1', '::1'])
    expect([address, isAllowedAddress(address, allowed)]).toEqual([address, false])
})
