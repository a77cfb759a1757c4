import { expect, test } from 'bun:test'
import { matchRoute, titlePath, wantsStart, watchPath } from './route.ts'

const ID = '0123456789abcdef'

test.each([
  ['/', { page: 'home' }],
  ['', { page: 'home' }],
  ['/?utm=1', { page: 'home' }],
  [titlePath(ID), { page: 'title', titleId: ID }],
  [`/title/${ID}/`, { page: 'title', titleId: ID }],
  [watchPath(ID, { fromStart: true }), { page: 'watch', titleId: ID }],
  ['/title/', { page: 'missing' }],
  ['/title/UPPERCASE0000000', { page: 'missing' }],
  [`/title/${ID}/more`, { page: 'missing' }],
  [`/nowhere/${ID}`, { page: 'missing' }],
] as const)('%p is its page', (location, expected) => {
  expect(matchRoute(location)).toEqual(expected)
})

test('only from=start starts over', () => {
  expect(wantsStart(watchPath(ID))).toBe(false)
  expect(wantsStart(watchPath(ID, { fromStart: true }))).toBe(true)
  expect(wantsStart(`/watch/${ID}?from=100`)).toBe(false)
})
