import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { StaffTitle } from '../contracts/index.ts'
import { createPublisher } from '../hub/index.ts'
import { eventsOf, problemOf, startTestControl, type TestControl, TOKEN, toPost, until } from './control/testing.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl()
})
afterAll(() => control.close())

describe('who may do what', () => {
  const guarded: readonly [string, string][] = [
    ['GET', '/api/titles'],
    ['GET', '/api/titles/x'],
    ['POST', '/api/titles'],
    ['GET', '/api/status'],
    ['GET', '/api/events'],
    ['GET', '/api/edge'],
    ['GET', '/metrics'],
    ['GET', '/api/openapi.json'],
    ['POST', '/api/console-links'],
    ['GET', '/api/nothing'],
    ['POST', '/uploads/'],
    ['OPTIONS', '/uploads/'],
    ['HEAD', '/uploads/0123456789abcdef'],
    ['GET', '/nothing.js'],
    ['POST', '/'],
  ]
  for (const [method, path] of guarded) {
    test(`${method} ${path} is refused without a token, and with a wrong one`, async () => {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: `Bearer ${TOKEN}x` },
        { authorization: `Bearer ${TOKEN}, Bearer x` },
        { authorization: `Basic ${TOKEN}` },
        { cookie: 'tentpole_console=1.2.3' },
      ]) {
        const response = await fetch(new URL(path, control.url), { method, headers: headers as Record<string, string> })
        expect(response.status).toBe(401)
        if (method !== 'HEAD') expect((await problemOf(response)).code).toBe('operator-needed')
      }
    })
  }

  test('the console and its health are public, with the headers that keep a browser safe', async () => {
    const page = await fetch(control.url)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8'])
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    const script = await fetch(`${control.url}/assets/main-12345678.js`)
    expect(script.headers.get('cache-control')).toContain('immutable')
    const deep = await fetch(`${control.url}/titles`, { headers: { accept: 'text/html' } })
    expect(await deep.text()).toContain('Tentpole console')
    for (const path of ['/..%2f..%2foperator.token', '/assets/../../../operator.token', '/%2e%2e/x'])
      expect((await fetch(control.url + path)).status).toBe(401)
  })

  test('a host name that someone else may point here is refused', async () => {
    const response = await fetch(`${control.url}/healthz`, { headers: { host: 'evil.example' } })
    expect((await problemOf(response)).code).toBe('host-unknown')
    expect((await fetch(`${control.url}/healthz`, { headers: { host: '127.0.0.1' } })).status).not.toBe(421)
  })

  test('a link works once and becomes a session; a session changes things only from its own pages', async () => {
    const created = await control.call('/api/console-links', { method: 'POST' })
    const { url } = (await created.json()) as { url: string }
    expect([created.status, new URL(url).origin]).toEqual([201, control.url])
    const login = await fetch(url, { redirect: 'manual' })
    expect([login.status, login.headers.get('location')]).toEqual([303, '/'])
    const cookieText = login.headers.get('set-cookie') ?? ''
    expect(cookieText).toContain('HttpOnly')
    expect(cookieText).toContain('SameSite=Strict')
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(401)
    expect((await fetch(`${control.url}/login?code=`, { redirect: 'manual' })).status).toBe(401)

    const cookie = cookieText.split(';')[0] ?? ''
    expect((await fetch(`${control.url}/api/titles`, { headers: { cookie } })).status).toBe(200)
    const create = (headers: Record<string, string>) =>
      fetch(`${control.url}/api/titles`, {
        ...toPost({ name: 'By cookie' }),
        headers: { cookie, 'content-type': 'application/json', ...headers },
      })
    expect((await create({ origin: control.url })).status).toBe(201)
    for (const origin of ['http://evil.example', 'null', `${control.url}.evil.example`])
      expect((await problemOf(await create({ origin }))).code).toBe('origin-foreign')
    expect((await create({})).status).toBe(403)
    const links = await fetch(`${control.url}/api/console-links`, {
      method: 'POST',
      headers: { cookie, origin: control.url },
    })
    expect(links.status).toBe(401)

    const other = await control.spawn()
    expect((await fetch(`${other.url}/api/titles`, { headers: { cookie } })).status).toBe(200)
    await other.kill()
  })
})

describe('titles', () => {
  test('a title is created, found and listed newest first', async () => {
    const first = await control.createTitle('First')
    const second = await control.createTitle('Second')
    expect(first).toMatchObject({ name: 'First', description: '', state: 'uploading', percent: 0, fileName: null })
    expect(first.watchUrl).toBe(`http://localhost:8080/title/${first.id}`)
    const { titles } = (await (await control.call('/api/titles')).json()) as { titles: StaffTitle[] }
    expect(titles.map((title) => title.id).filter((id) => [first.id, second.id].includes(id)).length).toBe(2)
    expect(titles.map((title) => title.createdAtMs)).toEqual(
      titles.map((title) => title.createdAtMs).toSorted((a, b) => b - a),
    )
    expect(await (await control.call(`/api/titles/${first.id}`)).json()).toEqual(first)
    expect((await problemOf(await control.call('/api/titles/0123456789abcdef'))).code).toBe('title-not-found')
  })

  const malformed: readonly [string, RequestInit, number, string, string | null][] = [
    ['no name', toPost({}), 400, 'body-invalid', '/name'],
    ['an empty name', toPost({ name: '  ' }), 400, 'body-invalid', '/name'],
    ['a number for a name', toPost({ name: 5 }), 400, 'body-invalid', '/name'],
    ['an unknown field', toPost({ name: 'x', price: 5 }), 400, 'body-invalid', '/price'],
    ['no object', toPost([]), 400, 'body-invalid', ''],
    ['no JSON', { ...toPost(null), body: '{"name":' }, 400, 'body-not-json', null],
    ['another type', { ...toPost(null), headers: { 'content-type': 'text/plain' } }, 415, 'body-not-json-typed', null],
    ['too much', toPost({ name: 'x', description: 'y'.repeat(70_000) }), 413, 'body-too-large', null],
  ]
  for (const [name, init, status, code, pointer] of malformed) {
    test(`a body with ${name} is ${code}`, async () => {
      const problem = await problemOf(await control.call('/api/titles', init))
      expect([problem.status, problem.code]).toEqual([status, code])
      if (pointer !== null) expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
    })
  }

  test('a withdrawal is on the log when it is answered, and happens once', async () => {
    const title = await control.createTitle()
    for (const reason of ['rights', 'again']) {
      const response = await control.call(`/api/titles/${title.id}/withdraw`, toPost({ reason }))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ state: 'withdrawn', code: 'withdrawn', reason: 'rights' })
      const events = await eventsOf(control, 'titles', title.id)
      expect(events).toMatchObject([
        { type: 'tentpole.title.withdrawn.v1', data: { titleId: title.id, reason: 'rights' } },
      ])
    }
    expect((await control.call('/api/titles/0123456789abcdef/withdraw', toPost({}))).status).toBe(404)
    const noBody = await control.call(`/api/titles/${(await control.createTitle()).id}/withdraw`, { method: 'POST' })
    expect(noBody.status).toBe(200)
  })

  test('what the log says of a title is what staff see', async () => {
    const title = await control.createTitle('Told by the log')
    const publisher = createPublisher({ log: control.store.log, source: 'worker-0' })
    await publisher.publish('tentpole.title.progress.v1', title.id, {
      titleId: title.id,
      percent: 40,
      stages: [{ name: 'encode', done: 2, total: 5 }],
    })
    await publisher.publish('tentpole.title.failed.v1', title.id, {
      titleId: title.id,
      code: 'no-video',
      reason: 'It has no picture.',
    })
    const seen = async () => (await (await control.call(`/api/titles/${title.id}`)).json()) as StaffTitle
    await until('it failed', async () => (await seen()).state === 'failed')
    expect(await seen()).toMatchObject({
      percent: 40,
      code: 'no-video',
      reason: 'It has no picture.',
      name: 'Told by the log',
    })
  })

  test('the API describes itself', async () => {
    const description = (await (await control.call('/api/openapi.json')).json()) as { openapi: string; paths: object }
    expect(description.openapi).toBe('3.1.0')
    expect(Object.keys(description.paths)).toContain('/api/titles/{id}/withdraw')
    expect((await problemOf(await control.call('/api/none'))).code).toBe('route-not-found')
  })
})
