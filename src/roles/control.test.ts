import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type DetailedError, Upload } from 'tus-js-client'
import type { CloudEvent, StaffTitle } from '../contracts/index.ts'
import { createDirectoryObjects } from '../engines/objects/index.ts'
import { createPublisher, decodeEvent } from '../hub/index.ts'
import { createId } from '../kernel/index.ts'
import { startTestControl, statusOf, type TestControl, TOKEN } from './control/testing.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({
    limits: {
      uploadBytesMax: 64 * 1024 * 1024,
      captionBytesMax: 1_000,
      uploadIdleMs: 800,
      tailClientsMax: 3,
      tailBufferBytesMax: 500_000,
    },
  })
})
afterAll(() => control.close())

const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return (await response.json()) as { status: number; code: string; detail: string; errors?: { pointer: string }[] }
}
const eventsOf = async (topic: string, titleId: string): Promise<CloudEvent[]> => {
  const first = (await control.store.log.bounds(topic))[0]?.first ?? 0
  const records = await control.store.log.read({ topic, from: first, max: 10_000 })
  return records.map(decodeEvent).filter((event) => event.subject === titleId)
}
const until = async (what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 8_000): Promise<void> => {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await Bun.sleep(10)
  }
}
const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const tus = (url: string, method: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Response> =>
  fetch(new URL(url, control.url), {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'tus-resumable': '1.0.0', ...headers },
    ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
  })
const patch = (
  url: string,
  offset: number,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Response> =>
  tus(
    url,
    'PATCH',
    { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset), ...headers },
    body,
  )
const metadataOf = (fields: Record<string, string>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')
const createUpload = async (titleId: string, bytes: number, fields: Record<string, string> = {}): Promise<string> => {
  const metadata = metadataOf({ titleId, role: 'film', filename: 'film.mp4', ...fields })
  const response = await tus('/uploads/', 'POST', { 'upload-length': String(bytes), 'upload-metadata': metadata })
  expect([response.status, await response.text()]).toEqual([201, ''])
  return response.headers.get('location') ?? ''
}
const uploadFiles = (): string[] => readdirSync(join(control.home, 'uploads'))
const checksum = (algorithm: string, bytes: Uint8Array): string =>
  `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`

describe('who may do what', () => {
  const guarded: readonly [string, string][] = [
    ['GET', '/api/titles'],
    ['GET', '/api/titles/x'],
    ['POST', '/api/titles'],
    ['GET', '/api/status'],
    ['GET', '/api/events'],
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
        ...json({ name: 'By cookie' }),
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
    ['no name', json({}), 400, 'body-invalid', '/name'],
    ['an empty name', json({ name: '  ' }), 400, 'body-invalid', '/name'],
    ['a number for a name', json({ name: 5 }), 400, 'body-invalid', '/name'],
    ['an unknown field', json({ name: 'x', price: 5 }), 400, 'body-invalid', '/price'],
    ['no object', json([]), 400, 'body-invalid', ''],
    ['no JSON', { ...json(null), body: '{"name":' }, 400, 'body-not-json', null],
    ['another type', { ...json(null), headers: { 'content-type': 'text/plain' } }, 415, 'body-not-json-typed', null],
    ['too much', json({ name: 'x', description: 'y'.repeat(70_000) }), 413, 'body-too-large', null],
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
      const response = await control.call(`/api/titles/${title.id}/withdraw`, json({ reason }))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ state: 'withdrawn', code: 'withdrawn', reason: 'rights' })
      const events = await eventsOf('titles', title.id)
      expect(events).toMatchObject([
        { type: 'tentpole.title.withdrawn.v1', data: { titleId: title.id, reason: 'rights' } },
      ])
    }
    expect((await control.call('/api/titles/0123456789abcdef/withdraw', json({}))).status).toBe(404)
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

describe('uploads', () => {
  const upload = (titleId: string, bytes: Uint8Array, fields: Record<string, string> = {}): Promise<Upload> =>
    new Promise((resolve, reject) => {
      const started = new Upload(Buffer.from(bytes), {
        endpoint: `${control.url}/uploads/`,
        headers: { authorization: `Bearer ${TOKEN}` },
        metadata: { titleId, role: 'film', filename: 'film.mp4', ...fields },
        chunkSize: 300_000,
        retryDelays: [],
        onError: reject,
        onSuccess: () => resolve(started),
      })
      started.start()
    })
  const openObjects = () => createDirectoryObjects({ root: join(control.home, 'objects') })
  const objectBytes = async (key: string): Promise<Uint8Array> => {
    const bytes = await openObjects().read(key)
    if (!bytes) throw new Error(`no object ${key}`)
    return bytes
  }

  test('captions, then the film: one event with both, the objects whole, nothing left behind', async () => {
    const title = await control.createTitle('With captions')
    const film = randomBytes(1_000_000)
    const captions = Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nHallo\n')
    await upload(title.id, captions, { role: 'captions', filename: 'film.de.srt', language: 'de', label: 'Deutsch' })
    await upload(title.id, film, { filename: 'C:\\films\\film.mp4' })
    await until('it is announced', async () => (await eventsOf('assets', title.id)).length > 0)
    const events = await eventsOf('assets', title.id)
    expect(events).toHaveLength(1)
    const data = events[0]?.data as CloudEvent<'tentpole.asset.uploaded.v1'>['data']
    expect(data).toMatchObject({
      metadata: { name: 'With captions', createdAtMs: title.createdAtMs },
      source: { fileName: 'film.mp4', bytes: film.byteLength },
      captions: [{ fileName: 'film.de.srt', language: 'de', label: 'Deutsch' }],
    })
    expect(data.source.objectKey.startsWith(`titles/${title.id}/source/`)).toBe(true)
    expect(Buffer.from(await objectBytes(data.source.objectKey)).equals(film)).toBe(true)
    expect(Buffer.from(await objectBytes(data.captions[0]?.objectKey ?? '')).equals(captions)).toBe(true)
    expect(uploadFiles()).toEqual([])
    expect(await (await control.call(`/api/titles/${title.id}`)).json()).toMatchObject({
      state: 'processing',
      fileName: 'film.mp4',
    })
  })

  test('an empty file goes through: media is who refuses it', async () => {
    const title = await control.createTitle()
    await upload(title.id, new Uint8Array(0))
    await until('it is announced', async () => (await eventsOf('assets', title.id)).length === 1)
    expect((await eventsOf('assets', title.id))[0]?.data).toMatchObject({ source: { bytes: 0 } })
  })

  test('a client whose last answer got lost is told by HEAD that all is well', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 10)
    expect((await patch(url, 0, Buffer.alloc(10))).status).toBe(204)
    const head = await tus(url, 'HEAD')
    expect([head.status, head.headers.get('upload-offset'), head.headers.get('upload-length')]).toEqual([
      200,
      '10',
      '10',
    ])
    expect((await eventsOf('assets', title.id)).length).toBeLessThan(2)
  })

  test('what is offered is said, and creation may bring the first bytes', async () => {
    const options = await tus('/uploads/', 'OPTIONS')
    expect(options.headers.get('tus-extension')?.split(',').toSorted()).toEqual([
      'checksum',
      'creation',
      'creation-with-upload',
      'expiration',
      'termination',
    ])
    expect(options.headers.get('tus-checksum-algorithm')).toBe('sha1,sha256')
    expect(options.headers.get('tus-max-size')).toBe(String(64 * 1024 * 1024))
    const title = await control.createTitle()
    const metadata = metadataOf({ titleId: title.id, role: 'film', filename: 'a.mp4' })
    const headers = {
      'upload-length': '10',
      'upload-metadata': metadata,
      'content-type': 'application/offset+octet-stream',
    }
    const begun = await tus('/uploads/', 'POST', headers, Buffer.alloc(4))
    expect([begun.status, begun.headers.get('upload-offset')]).toEqual([201, '4'])
    expect(begun.headers.get('upload-expires')).not.toBeNull()
    const url = begun.headers.get('location') ?? ''
    expect((await tus(url, 'DELETE')).status).toBe(204)
    expect((await tus(url, 'HEAD')).status).toBe(404)
    expect(uploadFiles()).toEqual([])
    const wrong = await tus(
      '/uploads/',
      'POST',
      { ...headers, 'upload-checksum': checksum('sha1', Buffer.from('no')) },
      Buffer.alloc(4),
    )
    expect((await problemOf(wrong)).code).toBe('checksum-mismatch')
    expect(uploadFiles()).toEqual([])
  })

  const refused: readonly [string, Record<string, string>, number, string][] = [
    ['of no title', { 'upload-metadata': metadataOf({ role: 'film', filename: 'a' }) }, 400, 'upload-metadata-invalid'],
    ['without metadata', {}, 400, 'upload-metadata-invalid'],
    [
      'of an unknown title',
      { 'upload-metadata': metadataOf({ titleId: '0123456789abcdef', role: 'film', filename: 'a' }) },
      404,
      'title-unknown',
    ],
    [
      'of an unknown role',
      { 'upload-metadata': metadataOf({ titleId: '0123456789abcdef', role: 'x', filename: 'a' }) },
      400,
      'upload-metadata-invalid',
    ],
    ['too large', { 'upload-length': String(65 * 1024 * 1024) }, 413, 'upload-too-large'],
    ['without a length', { 'upload-length': '' }, 400, 'upload-invalid'],
    ['of another protocol', { 'tus-resumable': '0.2.2' }, 400, 'upload-invalid'],
    ['with an unknown checksum', { 'upload-checksum': 'crc32 AAAA' }, 400, 'checksum-invalid'],
  ]
  for (const [name, headers, status, code] of refused) {
    test(`an upload ${name} is refused`, async () => {
      const problem = await problemOf(await tus('/uploads/', 'POST', { 'upload-length': '10', ...headers }))
      expect([problem.status, problem.code]).toEqual([status, code])
      expect(problem.detail.length).toBeGreaterThan(10)
    })
  }

  test('captions have a limit of their own, and more bytes than announced are refused', async () => {
    const title = await control.createTitle()
    const metadata = metadataOf({ titleId: title.id, role: 'captions', filename: 'a.srt' })
    const large = await tus('/uploads/', 'POST', { 'upload-length': '1001', 'upload-metadata': metadata })
    expect((await problemOf(large)).status).toBe(413)
    const url = await createUpload(title.id, 10)
    expect((await problemOf(await patch(url, 0, Buffer.alloc(11)))).status).toBe(413)
    expect((await tus(url, 'HEAD')).headers.get('upload-offset')).toBe('0')
    await tus(url, 'DELETE')
  })

  test('a checksum that does not match keeps nothing of its PATCH; one that does is kept', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 30)
    const bytes = randomBytes(30)
    const offset = async () => (await tus(url, 'HEAD')).headers.get('upload-offset')
    expect(
      (await patch(url, 0, bytes.subarray(0, 10), { 'upload-checksum': checksum('sha256', bytes.subarray(0, 10)) }))
        .status,
    ).toBe(204)
    for (const algorithm of ['sha1', 'sha256']) {
      const response = await patch(url, 10, bytes.subarray(10, 20), { 'upload-checksum': checksum(algorithm, bytes) })
      expect([response.status, (await problemOf(response)).code]).toEqual([460, 'checksum-mismatch'])
      expect(await offset()).toBe('10')
    }
    expect(
      (await patch(url, 10, bytes.subarray(10), { 'upload-checksum': checksum('sha1', bytes.subarray(10)) })).status,
    ).toBe(204)
    await until('it is announced', async () => (await eventsOf('assets', title.id)).length === 1)
    const data = (await eventsOf('assets', title.id))[0]?.data as CloudEvent<'tentpole.asset.uploaded.v1'>['data']
    expect(Buffer.from(await objectBytes(data.source.objectKey)).equals(bytes)).toBe(true)
  })

  /** A PATCH whose body stops halfway: says 20 bytes, sends `bytes`. */
  const stalledPatch = async (url: string, bytes: Uint8Array, headers: Record<string, string> = {}) => {
    const { port, pathname } = new URL(url, control.url)
    const socket = connect(Number(port), '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => (answer += data.toString()))
    socket.on('error', () => {})
    const lines = Object.entries({
      host: 'localhost',
      authorization: `Bearer ${TOKEN}`,
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-length': '20',
      'content-type': 'application/offset+octet-stream',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`)
    socket.write(`PATCH ${pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    socket.write(bytes)
    return { answer: () => answer, end: () => socket.destroy() }
  }
  const sizeOnDisk = (url: string): number => Bun.file(join(control.home, url)).size

  test('two requests at once do not mix: the second PATCH is locked out, a HEAD takes over', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 20)
    const stalled = await stalledPatch(url, Buffer.alloc(7, 1))
    await until('it has begun', () => sizeOnDisk(url) === 7)
    const second = await patch(url, 0, Buffer.alloc(20, 2))
    expect([second.status, (await problemOf(second)).code]).toEqual([423, 'upload-locked'])
    const head = await tus(url, 'HEAD')
    expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '7'])
    stalled.end()
    expect((await patch(url, 7, Buffer.alloc(13, 3))).status).toBe(204)
  })

  test('a PATCH that goes silent is cut off, and what it brought is kept', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 20)
    const stalled = await stalledPatch(url, Buffer.alloc(7, 1))
    await until('it is cut off', () => stalled.answer().includes('408'))
    expect((await tus(url, 'HEAD')).headers.get('upload-offset')).toBe('7')
    stalled.end()
    await tus(url, 'DELETE')
  })

  test('a checked PATCH that breaks off keeps nothing', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 20)
    const stalled = await stalledPatch(url, Buffer.alloc(7, 1), {
      'upload-checksum': checksum('sha1', Buffer.alloc(20)),
    })
    await until('it has begun', () => sizeOnDisk(url) === 7)
    stalled.end()
    await until('nothing is kept', async () => (await tus(url, 'HEAD')).headers.get('upload-offset') === '0')
    await tus(url, 'DELETE')
  })

  test('an upload for a title that was withdrawn meanwhile is refused and removed', async () => {
    const title = await control.createTitle()
    const url = await createUpload(title.id, 20)
    expect((await patch(url, 0, Buffer.alloc(7))).status).toBe(204)
    await control.call(`/api/titles/${title.id}/withdraw`, json({}))
    const response = await patch(url, 7, Buffer.alloc(13))
    expect([404, 410]).toContain(response.status)
    await until('nothing is left', () => !existsSync(join(control.home, url)))
    expect(await eventsOf('assets', title.id)).toEqual([])
    const metadata = metadataOf({ titleId: title.id, role: 'film', filename: 'a' })
    const again = await tus('/uploads/', 'POST', { 'upload-length': '10', 'upload-metadata': metadata })
    expect((await problemOf(again)).code).toBe('title-closed')
  })

  test('of two films for one title the first to be complete wins, the other is refused and removed', async () => {
    const title = await control.createTitle()
    const first = await createUpload(title.id, 10)
    const second = await createUpload(title.id, 10)
    const answers = await Promise.all([patch(first, 0, Buffer.alloc(10, 1)), patch(second, 0, Buffer.alloc(10, 2))])
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([204, 410])
    await until('it is announced', async () => (await eventsOf('assets', title.id)).length > 0)
    expect(await eventsOf('assets', title.id)).toHaveLength(1)
    expect(uploadFiles()).toEqual([])
    expect(await openObjects().list(`titles/${title.id}/`)).toHaveLength(1)
  })

  test('control killed in the middle: the offset is what is on disk, and the client goes on', async () => {
    const title = await control.createTitle()
    const film = randomBytes(24 * 1024 * 1024)
    let victim = await control.spawn()
    let killed = false
    let resumedAt = -1
    const sent = Promise.withResolvers<void>()
    const started = new Upload(film, {
      endpoint: `${victim.url}/uploads/`,
      headers: { authorization: `Bearer ${TOKEN}` },
      metadata: { titleId: title.id, role: 'film', filename: 'film.mp4' },
      chunkSize: 4 * 1024 * 1024,
      retryDelays: [50, 100, 200],
      async onBeforeRequest(request) {
        if (request.getMethod() !== 'PATCH') return
        if (killed && resumedAt < 0) resumedAt = Number(request.getHeader('Upload-Offset'))
      },
      async onChunkComplete(_, accepted) {
        if (killed || accepted < 8 * 1024 * 1024) return
        killed = true
        await victim.kill()
      },
      onError: (error) => sent.reject(error),
      onSuccess: () => sent.resolve(),
    })
    started.start()
    // The port differs after the restart, which a client of the real platform does not see: the supervisor keeps it.
    await until('killed', () => killed)
    const url = new URL(started.url ?? '').pathname
    await started.abort()
    victim = await control.spawn()
    const head = await fetch(new URL(url, victim.url), {
      method: 'HEAD',
      headers: { authorization: `Bearer ${TOKEN}`, 'tus-resumable': '1.0.0' },
    })
    const offset = Number(head.headers.get('upload-offset'))
    expect(offset).toBe(Bun.file(join(control.home, url)).size)
    expect(offset).toBeGreaterThanOrEqual(8 * 1024 * 1024)
    started.options.uploadUrl = new URL(url, victim.url).href
    started.url = started.options.uploadUrl
    started.start()
    await sent.promise
    expect(resumedAt).toBe(offset)
    await until('it is announced', async () => (await eventsOf('assets', title.id)).length > 0)
    const events = await eventsOf('assets', title.id)
    expect(events).toHaveLength(1)
    const data = events[0]?.data as CloudEvent<'tentpole.asset.uploaded.v1'>['data']
    expect(Buffer.from(await objectBytes(data.source.objectKey)).equals(film)).toBe(true)
    await victim.kill()
  }, 30_000)
})

describe('health and the live tail', () => {
  test('healthy when this role and the platform are; else it says what is not', async () => {
    const health = async () => {
      const response = await fetch(`${control.url}/healthz`)
      return [response.status, ((await response.json()) as { status: string; faults: string[] }).faults] as const
    }
    await until('healthy', async () => (await health())[0] === 200)
    control.setStatus(statusOf('backoff'))
    await until('unhealthy', async () => (await health())[0] === 503)
    expect((await health())[1]).toEqual(['edge is backoff'])
    expect(((await (await control.call('/api/status')).json()) as { healthy: boolean }).healthy).toBe(false)
    expect((await control.role.health()).faults).toEqual([])
    control.setStatus(statusOf('healthy'))
    await until('healthy again', async () => (await health())[0] === 200)
  })

  /** Reads messages of `/api/events` until the test has seen enough. */
  const follow = async () => {
    const stopping = new AbortController()
    const response = await control.call('/api/events', { signal: stopping.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const messages: { event: string; id: string; data: string }[] = []
    const read = async (): Promise<void> => {
      let rest = ''
      for await (const chunk of response.body ?? []) {
        const parts = (rest + Buffer.from(chunk).toString()).split('\n\n')
        rest = parts.pop() ?? ''
        for (const part of parts) {
          const field = (name: string) => part.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1] ?? ''
          if (field('data')) messages.push({ event: field('event'), id: field('id'), data: field('data') })
        }
      }
    }
    const reading = read().catch(() => {})
    return {
      messages,
      async stop() {
        stopping.abort()
        await reading
      },
    }
  }

  test('first everything, then each change and each event as it happens', async () => {
    const before = await control.createTitle('There before')
    const tail = await follow()
    await until('the snapshot', () => tail.messages.length >= 2)
    expect(tail.messages.slice(0, 2).map((message) => message.event)).toEqual(['titles', 'status'])
    expect((JSON.parse(tail.messages[0]?.data ?? '') as StaffTitle[]).map((title) => title.id)).toContain(before.id)
    const title = await control.createTitle('New')
    await control.call(`/api/titles/${title.id}/withdraw`, json({ reason: 'rights' }))
    const titlesSeen = () =>
      tail.messages
        .filter((message) => message.event === 'title')
        .map((message) => JSON.parse(message.data) as StaffTitle)
    await until('the withdrawal is seen', () =>
      titlesSeen().some((seen) => seen.id === title.id && seen.state === 'withdrawn'),
    )
    const eventOf = () => tail.messages.find((message) => message.event === '' && message.data.includes(title.id))
    await until('its event is seen', () => eventOf() !== undefined)
    const event = JSON.parse(eventOf()?.data ?? '') as CloudEvent
    expect([event.type, event.id]).toEqual(['tentpole.title.withdrawn.v1', eventOf()?.id ?? ''])
    control.setStatus(statusOf('draining'))
    await until('the status is seen', () =>
      tail.messages.some((message) => message.event === 'status' && message.data.includes('draining')),
    )
    control.setStatus(statusOf('healthy'))
    await tail.stop()
  })

  test("viewers' events are a sample: a crowd does not drown the console", async () => {
    const tail = await follow()
    await until('the snapshot', () => tail.messages.length >= 2)
    const titleId = (await control.createTitle()).id
    const publisher = createPublisher({ log: control.store.log, source: 'cell-a' })
    const play = () =>
      publisher.publish('tentpole.playback.started.v1', createId(), {
        sessionId: 's',
        viewerId: 'v',
        titleId,
        country: 'DE',
        tier: 'free',
        platform: 'web',
        cell: 'a',
      })
    const plays = () => tail.messages.filter((message) => message.data.includes('playback.started')).length
    await until('the tail follows sessions', async () => {
      await play()
      return plays() > 0
    })
    await Promise.all(Array.from({ length: 500 }, play))
    await publisher.publish('tentpole.title.playable.v1', titleId, { titleId })
    await until('later events arrive', () => tail.messages.some((message) => message.data.includes('title.playable')))
    expect(plays()).toBeLessThan(150)
    await tail.stop()
  })
})

test('a tail that is not read is cut; there may be only so many', async () => {
  let following = 0
  const stuck = [1, 2, 3].map(() => {
    const socket = connect(Number(new URL(control.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.once('data', (data) => {
      if (data.toString().startsWith('HTTP/1.1 200')) following += 1
      socket.pause()
    })
    socket.write(`GET /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`)
    return socket
  })
  const open = async (): Promise<number> => {
    const stopping = new AbortController()
    const response = await control.call('/api/events', { signal: stopping.signal })
    stopping.abort()
    return response.status
  }
  await until('all follow', () => following === 3)
  expect(await open()).toBe(429)
  const titleId = (await control.createTitle()).id
  const publisher = createPublisher({ log: control.store.log, source: 'worker-0' })
  const reason = 'x'.repeat(100_000)
  await until('those who do not read are cut', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () =>
        publisher.publish('tentpole.title.failed.v1', titleId, { titleId, code: 'x', reason }),
      ),
    )
    return (await open()) === 200
  })
  for (const socket of stuck) socket.destroy()
}, 15_000)

test('errors of the tus client carry our words', async () => {
  const error = await new Promise<Error | DetailedError>((resolve) => {
    new Upload(Buffer.alloc(10), {
      endpoint: `${control.url}/uploads/`,
      headers: { authorization: 'Bearer wrong' },
      metadata: {},
      retryDelays: [],
      onError: resolve,
    }).start()
  })
  expect((error as DetailedError).originalResponse?.getStatus()).toBe(401)
})
