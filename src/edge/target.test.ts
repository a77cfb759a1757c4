import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseRequestTarget } from './target.ts'

const check = (raw: string, expected: string | null): void => {
  const target = parseRequestTarget(raw)
  expect(target && target.path + target.query).toBe(expected)
}

test.each([
  ['/', '/'],
  ['/v1/home', '/v1/home'],
  ['/v1/titles/abc?x=1&y=%2f', '/v1/titles/abc?x=1&y=%2f'],
  ['/title/', '/title/'],
  ['/v/a.b_c-d/e/main.m3u8', '/v/a.b_c-d/e/main.m3u8'],
  ['/%41%7e', '/A~'],
  ['/%41/b?c', '/A/b?c'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ["/a!$&'()*+,;=:@", "/a!$&'()*+,;=:@"],
])('%s is taken as %s', (raw, expected) => check(raw, expected))

test.each([
  '//v1/home',
  '/v1//home',
  '/v1/../_media/x',
  '/v1/..',
  '/./v1',
  '/v1/%2e%2e/_media',
  '/v1/.%2e/_media',
  '/v1/%2E/x',
  '/v1/a%2fb',
  '/v1/a%5Cb',
  '/v1/a\\b',
  '/v1/a%00',
  '/v1/a%0d%0aHost:%20x',
  '/v1/a%7f',
  '/v1/%252e%252e',
  '/v1/%',
  '/v1/%zz',
  '/v1/a b',
  '/v1/ü',
  '/v1/x#y',
  '/v1/x?y#z',
])('%s is refused', (raw) => check(raw, null))

test('a target in any other form than with a slash first is refused', () => {
  for (const text of ['', '?a', '*', 'a', 'a/b', 'http://edge/a', '#', '//edge/a'])
    expect(parseRequestTarget(text)).toBeNull()
})

test('what is accepted is already in its only form, and has no segment that could climb', () => {
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%41', '%c3', 'a', '_', '%', '\\', '//', 'x')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const target = parseRequestTarget(`/${pieces.join('')}`)
      if (!target) return
      expect(target.path.split('/').some((segment) => segment === '.' || segment === '..')).toBe(false)
      expect(target.path).not.toMatch(/\/\/|\\|%2[ef]|%5c/i)
      expect(parseRequestTarget(target.path)?.path).toBe(target.path)
    }),
  )
})
