import { expect, test } from 'bun:test'
import { UsageError } from '../usage.ts'
import { toPurgeOrder } from './purge.ts'

test('exactly one of the three is taken', () => {
  expect(toPurgeOrder({ url: '/a' })).toEqual({ scope: 'url', value: '/a' })
  expect(toPurgeOrder({ prefix: 'http://films.example/' })).toEqual({ scope: 'prefix', value: 'http://films.example/' })
  expect(toPurgeOrder({ tag: 't' })).toEqual({ scope: 'tag', value: 't' })
})

const refused = [{}, { url: '/a', tag: 't' }, { url: 'films.example/a' }, { prefix: '' }, { tag: 'two tags' }]
test.each(refused)('%j is refused', (values) => expect(() => toPurgeOrder(values)).toThrow(UsageError))
