import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type DetailedError, Upload } from 'tus-js-client'
import type { CloudEvent } from '../../contracts/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { eventsOf, problemOf, startTestControl, type TestControl, TOKEN, toPost, until } from './testing.ts'

let control: TestControl
beforeAll(async () => {
  control = await startTestControl({
    limits: { uploadBytesMax: 64 * 1024 * 1024, captionBytesMax: 1_000, uploadIdleMs: 800 },
  })
})
afterAll(() => control.close())

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
  await until('it is announced', async () => (await eventsOf(control, 'assets', title.id)).length > 0)
  const events = await eventsOf(control, 'assets', title.id)
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
  await until('it is announced', async () => (await eventsOf(control, 'assets', title.id)).length === 1)
  expect((await eventsOf(control, 'assets', title.id))[0]?.data).toMatchObject({ source: { bytes: 0 } })
})

test('a client whose last answer got lost is told by HEAD that all is well', async () => {
  const title = await control.createTitle()
  const url = await createUpload(title.id, 10)
  expect((await patch(url, 0, Buffer.alloc(10))).status).toBe(204)
  const head = await tus(url, 'HEAD')
  expect([head.status, head.headers.get('upload-offset'), head.headers.get('upload-length')]).toEqual([200, '10', '10'])
  expect((await eventsOf(control, 'assets', title.id)).length).toBeLessThan(2)
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
  await until('it is announced', async () => (await eventsOf(control, 'assets', title.id)).length === 1)
  const data = (await eventsOf(control, 'assets', title.id))[0]
    ?.data as CloudEvent<'tentpole.asset.uploaded.v1'>['data']
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
  await control.call(`/api/titles/${title.id}/withdraw`, toPost({}))
  const response = await patch(url, 7, Buffer.alloc(13))
  expect([404, 410]).toContain(response.status)
  await until('nothing is left', () => !existsSync(join(control.home, url)))
  expect(await eventsOf(control, 'assets', title.id)).toEqual([])
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
  await until('it is announced', async () => (await eventsOf(control, 'assets', title.id)).length > 0)
  expect(await eventsOf(control, 'assets', title.id)).toHaveLength(1)
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
  await until('it is announced', async () => (await eventsOf(control, 'assets', title.id)).length > 0)
  const events = await eventsOf(control, 'assets', title.id)
  expect(events).toHaveLength(1)
  const data = events[0]?.data as CloudEvent<'tentpole.asset.uploaded.v1'>['data']
  expect(Buffer.from(await objectBytes(data.source.objectKey)).equals(film)).toBe(true)
  await victim.kill()
}, 30_000)

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
