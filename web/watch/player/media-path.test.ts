import { expect, test } from 'bun:test'
import { tokenOf, withToken } from './media-path.ts'

test.each([
  ['/v/old.mac/0123456789abcdef/main.m3u8', '/v/new.mac/0123456789abcdef/main.m3u8'],
  ['http://h:80/v/old/t/v360/0.m4s?x=/v/old/', 'http://h:80/v/new.mac/t/v360/0.m4s?x=/v/old/'],
  ['https://elsewhere/art/v/old/x', 'https://elsewhere/art/v/old/x'],
  ['/v/old', '/v/old'],
])('%p asks with the newest token', (address, expected) => {
  expect(withToken(address, 'new.mac')).toBe(expected)
})

test('a token with replacement patterns is taken literally', () => {
  expect(withToken('/v/a/t/f', '$&$1')).toBe('/v/$&$1/t/f')
})

test('a token is read from its address', () => {
  expect(tokenOf('http://h/v/a.b/t/main.m3u8')).toBe('a.b')
  expect(tokenOf('/art/t/poster.jpg')).toBeNull()
})
