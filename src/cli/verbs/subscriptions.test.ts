import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { type FakePlatform, startFakePlatform } from '../events/testing.ts'
import { UsageError } from '../usage.ts'
import type { Verb } from './command.ts'
import { spokes } from './spokes.ts'
import { subscriptions } from './subscriptions.ts'

let platform: FakePlatform
beforeAll(() => {
  platform = startFakePlatform()
})
beforeEach(() => void platform.asked.splice(0))
afterAll(() => platform.close())

test('a webhook is made, its secret told', async () => {
  platform.answer = () => Response.json({ name: 'mail', created: true, secret: 'whsec_x' }, { status: 201 })
  const { printed } = await platform.run(
    subscriptions,
    'add',
    'mail',
    '--pattern',
    '{"type":["a"]}',
    '--webhook',
    'https://x/y',
    '--start',
    'beginning',
  )
  expect(printed.join()).toContain('whsec_x')
  expect(platform.asked[0]).toMatchObject({ method: 'PUT', path: '/hub/v1/subscriptions/mail' })
  expect(JSON.parse(platform.asked[0]?.body ?? '')).toEqual({
    pattern: { type: ['a'] },
    target: { kind: 'webhook', url: 'https://x/y' },
    start: 'beginning',
  })
})

test('it is removed and enabled by its name', async () => {
  platform.answer = ({ method }) =>
    method === 'DELETE' ? new Response(null, { status: 204 }) : Response.json({ name: 'mail' })
  expect((await platform.run(subscriptions, 'remove', 'mail')).exitCode).toBe(0)
  expect((await platform.run(subscriptions, 'enable', 'mail')).exitCode).toBe(0)
  expect(platform.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'DELETE /hub/v1/subscriptions/mail',
    'POST /hub/v1/subscriptions/mail/enable',
  ])
})

test("a spoke's token is told when it is made, and never listed", async () => {
  const spoke = { name: 'them', publishes: ['a.*'], patterns: [{ type: ['a'] }], topics: [], createdAtMs: 0 }
  platform.answer = ({ method }) =>
    method === 'POST' ? Response.json({ ...spoke, token: 'tps_x' }) : Response.json({ spokes: [spoke] })
  const made = await platform.run(spokes, 'add', 'them', '--publish', 'a.*', '--subscribe', '{"type":["a"]}')
  expect(made.printed.join()).toContain('tps_x')
  expect(JSON.parse(platform.asked[0]?.body ?? '')).toEqual({
    name: 'them',
    publishes: ['a.*'],
    patterns: [{ type: ['a'] }],
    topics: [],
  })
  const listed = (await platform.run(spokes, 'list')).printed.join()
  expect([listed.includes('a.*'), listed.includes('tps_')]).toEqual([true, false])
})

const wrong: readonly (readonly [Verb, readonly string[]])[] = [
  [subscriptions, ['add', 'a', '--stream']],
  [subscriptions, ['add', 'a', '--pattern', '{"type":["a"]}']],
  [subscriptions, ['add', 'a', '--pattern', '{"type":["a"]}', '--stream', '--topic', 't']],
  [subscriptions, ['add', 'a', '--pattern', '{"type":["a"]}', '--stream', '--policy', '{']],
  [subscriptions, ['remove']],
  [spokes, ['add', 'a', '--subscribe', '{"type":5}']],
]
test.each(wrong)('%p %j is no command', async (verb, args) => {
  expect(platform.run(verb, ...args)).rejects.toBeInstanceOf(UsageError)
})
