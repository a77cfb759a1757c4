import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Purged, Revoked } from '../../contracts/index.ts'
import { eventsOf, problemOf, startTestControl, type TestControl, toPost } from './testing.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
})
afterAll(() => control.close())

const SESSION = '0199b0c0-0000-7000-8000-000000000001'

test('a session is revoked: on the log when the answer comes, as often as it is asked', async () => {
  const revoke = (init: RequestInit) => control.call(`/api/sessions/${SESSION}/revoke`, init)
  const answer = await revoke(toPost({ reason: 'shared with the world' }))
  const [event] = await eventsOf(control, 'edge', SESSION)
  const revoked = (await answer.json()) as Revoked
  expect([answer.status, revoked.sessionId]).toEqual([202, SESSION])
  expect(event?.data).toEqual({ ...revoked, reason: 'shared with the world', endedBy: 'staff' })
  expect((await revoke({ method: 'POST' })).status).toBe(202)
  expect(await eventsOf(control, 'edge', SESSION)).toHaveLength(2)
})

test('a purge is on the log when the answer comes', async () => {
  const order = { scope: 'tag', value: '0123456789abcdef' } as const
  const answer = await control.call('/api/purges', toPost({ ...order, reason: 'a new poster' }))
  const [event] = await eventsOf(control, 'edge', 'tag')
  expect([answer.status, (await answer.json()) as Purged]).toEqual([202, { eventId: event?.id ?? '', ...order }])
  expect(event?.data).toEqual({ ...order, reason: 'a new poster' })
})

const refused: readonly (readonly [string, unknown, string, string | null])[] = [
  ['/api/sessions/a%20b/revoke', {}, 'session-id-invalid', null],
  [`/api/sessions/${'x'.repeat(65)}/revoke`, {}, 'session-id-invalid', null],
  [`/api/sessions/${SESSION}/revoke`, { reason: 5 }, 'body-invalid', '/reason'],
  [`/api/sessions/${SESSION}/revoke`, { titleId: 'x' }, 'body-invalid', '/titleId'],
  ['/api/purges', {}, 'body-invalid', '/scope'],
  ['/api/purges', { scope: 'all', value: '/' }, 'body-invalid', '/scope'],
  ['/api/purges', { scope: 'url', value: 'films.example/a' }, 'body-invalid', '/value'],
  ['/api/purges', { scope: 'prefix', value: '/a/../b' }, 'body-invalid', '/value'],
  ['/api/purges', { scope: 'tag', value: 'two tags' }, 'body-invalid', '/value'],
]
test.each(refused)('%s %j is refused, and nothing is said to the edges', async (path, body, code, pointer) => {
  const before = (await control.store.log.bounds('edge'))[0]?.end
  const problem = await problemOf(await control.call(path, toPost(body)))
  expect([problem.status, problem.code]).toEqual([400, code])
  if (pointer !== null) expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  expect((await control.store.log.bounds('edge'))[0]?.end).toBe(before)
})

test('nobody else may', async () => {
  for (const path of [`/api/sessions/${SESSION}/revoke`, '/api/purges'])
    expect((await fetch(new URL(path, control.url), toPost({ scope: 'prefix', value: '/' }))).status).toBe(401)
})
