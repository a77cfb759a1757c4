import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { toInvalidatedUris } from './invalidate.ts'
import { type Fields, request, response } from './testing.ts'

const TARGET = 'http://a.test/dir/x?q=1'

const invalidated = (method: string, status: number, fields: Fields = {}): readonly string[] =>
  toInvalidatedUris(request({}, method, TARGET), response(fields, status))

test.each([
  ['POST', 200, true],
  ['PUT', 204, true],
  ['DELETE', 303, true],
  ['PATCH', 399, true],
  ['M-SEARCH', 200, true],
  ['POST', 400, false],
  ['POST', 500, false],
  ['POST', 100, false],
  ['GET', 200, false],
  ['HEAD', 200, false],
  ['OPTIONS', 200, false],
  ['TRACE', 200, false],
] as const)('%s with %p: %p', (method, status, expected) => {
  expect(invalidated(method, status)).toEqual(expected ? [TARGET] : [])
})

test.each([
  ['/y', 'http://a.test/y'],
  ['y#part', 'http://a.test/dir/y'],
  ['http://a.test:80/y', 'http://a.test/y'],
  ['http://user:word@a.test/y', 'http://a.test/y'],
  ['?q=2', 'http://a.test/dir/x?q=2'],
  ['http://b.test/y', null],
  ['//b.test/y', null],
  ['https://a.test/y', null],
  ['http://a.test:81/y', null],
  ['http://[', null],
  ['data:,x', null],
])('a Location or Content-Location %s invalidates %p', (reference, expected) => {
  for (const name of ['location', 'content-location']) {
    expect(invalidated('POST', 201, { [name]: reference })).toEqual(expected === null ? [TARGET] : [TARGET, expected])
  }
})

test('whatever Location says, nothing of another origin is invalidated', () => {
  const reference = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((text) => `//${text}`),
  )
  fc.assert(
    fc.property(reference, (location) => {
      for (const uri of invalidated('POST', 200, { location })) expect(new URL(uri).origin).toBe('http://a.test')
    }),
  )
})
