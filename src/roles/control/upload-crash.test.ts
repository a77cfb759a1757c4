import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDirectoryObjects, type ObjectsPort } from '../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { hubMigrations } from '../../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { catalogMigrations, createTitles, type Titles } from '../../services/titles/index.ts'
import { createUploads, type Uploads } from '../../services/uploads/index.ts'
import { toProblem } from './problem.ts'

let home: string
let tables: TablesPort
let titles: Titles
let objects: ObjectsPort
const running: Uploads[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tentpole-uploads-'))
  tables = openSqliteTables({ path: join(home, 'tables.sqlite'), migrations: [...hubMigrations, ...catalogMigrations] })
  titles = createTitles({ tables, source: 'control', limits: DEFAULT_LIMITS })
  objects = createDirectoryObjects({ root: join(home, 'objects') })
})
afterEach(async () => {
  for (const uploads of running.splice(0)) uploads.close()
  await tables.close()
  rmSync(home, { recursive: true, force: true })
})

/** Control's uploads as after a start; what an earlier one left on disk is all it knows. */
const start = async (faults: { objects?: ObjectsPort; titles?: Titles; keptMs?: number } = {}): Promise<Uploads> => {
  const uploads = await createUploads({
    directory: join(home, 'uploads'),
    objects: faults.objects ?? objects,
    titles: faults.titles ?? titles,
    limits: { ...DEFAULT_LIMITS, uploadKeptMs: faults.keptMs ?? DEFAULT_LIMITS.uploadKeptMs },
    logger: silentLogger,
    toProblem,
  })
  running.push(uploads)
  return uploads
}
const send = (uploads: Uploads, method: string, path: string, headers: Record<string, string>, body?: BodyInit) =>
  uploads.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body === undefined ? {} : { body }),
    }),
  )
const create = async (uploads: Uploads, titleId: string, bytes: number): Promise<string> => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const metadata = `titleId ${base64(titleId)},role ${base64('film')},filename ${base64('film.mp4')}`
  const headers = { 'upload-length': String(bytes), 'upload-metadata': metadata }
  const response = await send(uploads, 'POST', '/uploads/', headers)
  expect(response.status).toBe(201)
  return response.headers.get('location') ?? ''
}
const patchHeaders = (offset: number) => ({
  'content-type': 'application/offset+octet-stream',
  'upload-offset': String(offset),
})
const announced = async (titleId: string): Promise<number> =>
  (await tables.query({ sql: 'SELECT event_id FROM hub_outbox WHERE event_key = ?', parameters: [titleId] })).length
const leftFiles = (): string[] => readdirSync(join(home, 'uploads'))

const killed = (): never => {
  throw new Error('killed here')
}
/** Where control may die between the last byte and the answer, each as a port that fails there. */
const DEATHS: readonly [string, () => { objects?: ObjectsPort; titles?: Titles }][] = [
  ['before the object is stored', () => ({ objects: { ...objects, putFile: async () => killed() } })],
  [
    'after the object is stored',
    () => ({
      objects: {
        ...objects,
        async putFile(...given) {
          await objects.putFile(...given)
          return killed()
        },
      },
    }),
  ],
  ['before the title takes it', () => ({ titles: { ...titles, acceptUpload: async () => killed() } })],
  [
    'after the title took it',
    () => ({
      titles: {
        ...titles,
        async acceptUpload(...given) {
          await titles.acceptUpload(...given)
          return killed()
        },
      },
    }),
  ],
]

for (const [when, faults] of DEATHS) {
  for (const follow of ['a sweep', 'the client asking'] as const) {
    test(`control dead ${when}: ${follow} after the restart ends it, announced once`, async () => {
      const title = await titles.create({ name: 'A film', description: '' })
      const before = await start(faults())
      const url = await create(before, title.id, 10)
      const last = await send(before, 'PATCH', url, patchHeaders(0), 'abcdefghij')
      expect(last.status).toBe(500)
      before.close()

      const after = await start()
      if (follow === 'the client asking') {
        const head = await send(after, 'HEAD', url, {})
        expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '10'])
      }
      await after.sweep()
      await after.sweep()
      expect(await announced(title.id)).toBe(1)
      expect((await titles.get(title.id))?.state).toBe('processing')
      expect(leftFiles()).toEqual([])
      const [key = ''] = await objects.list(`titles/${title.id}/`)
      expect(Buffer.from((await objects.read(key)) ?? []).toString()).toBe('abcdefghij')
      const head = await send(after, 'HEAD', url, {})
      expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '10'])
    })
  }
}

test('bytes of a checked PATCH that control died in are not taken for good', async () => {
  const title = await titles.create({ name: 'A film', description: '' })
  const before = await start()
  const url = await create(before, title.id, 10)
  await send(before, 'PATCH', url, patchHeaders(0), 'abc')
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('WRONG')),
  })
  const headers = { ...patchHeaders(3), 'upload-checksum': `sha1 ${Buffer.alloc(20).toString('base64')}` }
  void send(before, 'PATCH', url, headers, body)
  const path = join(home, url)
  const deadlineMs = performance.now() + 5_000
  while (Bun.file(path).size < 8 && performance.now() < deadlineMs) await Bun.sleep(2)
  expect(Bun.file(path).size).toBe(8)

  const after = await start()
  const head = await send(after, 'HEAD', url, {})
  expect(head.headers.get('upload-offset')).toBe('3')
  expect((await send(after, 'PATCH', url, patchHeaders(3), 'defghij')).status).toBe(204)
  const [key = ''] = await objects.list(`titles/${title.id}/`)
  expect(Buffer.from((await objects.read(key)) ?? []).toString()).toBe('abcdefghij')
})

test('what nobody can go on with is removed: expired, or left without a record', async () => {
  const title = await titles.create({ name: 'A film', description: '' })
  const before = await start()
  const kept = await create(before, title.id, 10)
  await Bun.write(join(home, 'uploads', 'aaaaaaaaaaaaaaaa'), 'no record')
  await Bun.write(join(home, 'uploads', `${kept.split('/').at(-1)}.json.tmp`), 'half a record')
  const after = await start()
  expect(leftFiles().length).toBe(2)
  expect((await send(after, 'HEAD', kept, {})).status).toBe(200)
  const later = await start({ keptMs: 1 })
  await Bun.sleep(5)
  await later.sweep()
  expect(leftFiles()).toEqual([])
})

test('an engine that is away is a 503, and the bytes stay', async () => {
  const title = await titles.create({ name: 'A film', description: '' })
  const uploads = await start()
  const url = await create(uploads, title.id, 10)
  await tables.close()
  const answer = await send(uploads, 'PATCH', url, patchHeaders(0), 'abcdefghij')
  expect(answer.status).toBeGreaterThanOrEqual(500)
  expect(leftFiles().length).toBe(2)
  tables = openSqliteTables({ path: join(home, 'tables.sqlite'), migrations: [...hubMigrations, ...catalogMigrations] })
})
