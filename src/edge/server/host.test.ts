import { describe, expect, test } from 'bun:test'
import { acceptHead, checkRefused, toHeadText } from './testing/heads.ts'

describe('host (RFC 9112, 3.2; RFC 9110, 7.2)', () => {
  const host = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`
  test.each([
    ['Tentpole.TV', 'tentpole.tv'],
    ['a.tv:80', 'a.tv'],
    ['a.tv:8080', 'a.tv:8080'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:80', '[2001:db8::1]'],
    ['[::ffff:1.2.3.4]:65535', '[::ffff:1.2.3.4]:65535'],
    ['my_host-1', 'my_host-1'],
    [' \t a.tv \t', 'a.tv'],
  ])('%j is %s', (value, expected) => expect(acceptHead(host(value)).host).toBe(expected))

  test.each([
    '',
    'a.tv.',
    '.a.tv',
    'a..tv',
    'a.tv:',
    'a.tv:0',
    'a.tv:080',
    'a.tv:65536',
    'a.tv:8x',
    'a.tv:80:80',
    'u@a.tv',
    'u:p@a.tv',
    'a.tv, b.tv',
    'a b',
    'a.tv/',
    'a.tv?x',
    'a.tv#x',
    'a%2etv',
    'a\\b',
    '\xe4.tv',
    '::1',
    '[::1',
    '::1]',
    '[::1]x',
    '[::1]x:80',
    '[::1%25eth0]',
    '[g::1]',
    '[]',
    '[v1.x]',
    '"a.tv"',
    `${'a'.repeat(254)}`,
  ])('%j is refused', (value) => checkRefused(host(value), 400, 'host-malformed'))

  test('none, two, two alike', () => {
    checkRefused('GET / HTTP/1.1\r\n\r\n', 400, 'host-missing')
    checkRefused('GET http://a.tv/ HTTP/1.1\r\n\r\n', 400, 'host-missing')
    checkRefused(toHeadText('Host: b.tv\r\n'), 400, 'host-repeated')
    checkRefused(toHeadText('hOST: a.tv\r\n'), 400, 'host-repeated')
    checkRefused('GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'host-repeated')
  })
})
