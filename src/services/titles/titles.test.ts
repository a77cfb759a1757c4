import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { CloudEvent } from '../../contracts/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { hubMigrations } from '../../hub/index.ts'
import { createShortId, DEFAULT_LIMITS, Fault } from '../../kernel/index.ts'
import { type AcceptedUpload, catalogMigrations, createTitles, type Titles } from './index.ts'

let directory: string
let tables: TablesPort
let titles: Titles
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-titles-'))
  tables = openSqliteTables({ path: join(directory, 't.sqlite'), migrations: [...hubMigrations, ...catalogMigrations] })
  titles = createTitles({ tables, source: 'control', limits: { ...DEFAULT_LIMITS, relayWaitMs: 1 } })
})
afterEach(async () => {
  await tables.close()
  rmSync(directory, { recursive: true, force: true })
})

const uploadFor = (titleId: string, role: 'film' | 'captions'): AcceptedUpload => {
  const uploadId = createShortId()
  const objectKey = `titles/${titleId}/source/${role}-${uploadId}`
  return { uploadId, titleId, role, objectKey, fileName: role, language: 'de', label: 'Deutsch', bytes: 5 }
}
const outbox = async (titleId: string): Promise<CloudEvent[]> => {
  const rows = await tables.query({
    sql: 'SELECT event FROM hub_outbox WHERE event_key = ? ORDER BY position',
    parameters: [titleId],
  })
  return rows.map((row) => JSON.parse(String(row['event'])) as CloudEvent)
}
/** No relay runs here, so a withdrawal is stored and then says that it is not on the log. */
const withdraw = (titleId: string): Promise<unknown> =>
  titles.withdraw(titleId, '').catch((error: unknown) => {
    if (!(error instanceof Fault) || error.code !== 'not-announced') throw error
  })

test('whatever comes at the same time, the film is announced at most once, with exactly the captions that were taken', async () => {
  const step = fc.constantFrom('film', 'captions', 'withdraw', 'repeat') as fc.Arbitrary<
    'film' | 'captions' | 'withdraw' | 'repeat'
  >
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const title = await titles.create({ name: 'A film', description: '' })
      const repeated = uploadFor(title.id, 'captions')
      const taken: AcceptedUpload[] = []
      await Promise.all(
        steps.map(async (kind) => {
          if (kind === 'withdraw') {
            await withdraw(title.id)
            return
          }
          const upload = kind === 'repeat' ? repeated : uploadFor(title.id, kind)
          if ((await titles.acceptUpload(upload)) === null) taken.push(upload)
        }),
      )
      const events = await outbox(title.id)
      const uploaded = events.filter((event) => event.type === 'tentpole.asset.uploaded.v1')
      const films = taken.filter((upload) => upload.role === 'film')
      expect(uploaded.length).toBe(films.length)
      expect(films.length).toBeLessThanOrEqual(1)
      expect(events.filter((event) => event.type === 'tentpole.title.withdrawn.v1').length).toBe(
        steps.includes('withdraw') ? 1 : 0,
      )
      const captions = new Set(taken.filter((upload) => upload.role === 'captions').map((upload) => upload.objectKey))
      for (const event of uploaded)
        expect(new Set(event.data.captions.map((caption) => caption.objectKey))).toEqual(captions)
      for (const upload of taken) expect(await titles.acceptedUpload(upload.uploadId)).toEqual(upload)
      const expected = steps.includes('withdraw') ? 'withdrawn' : films.length > 0 ? 'processing' : 'uploading'
      expect((await titles.get(title.id))?.state).toBe(expected)
    }),
    { numRuns: 40 },
  )
})

test('a closed or unknown title takes nothing', async () => {
  const title = await titles.create({ name: 'A film', description: '' })
  expect(await titles.admitUpload(title.id)).toBeNull()
  expect(await titles.acceptUpload(uploadFor(title.id, 'film'))).toBeNull()
  expect(await titles.admitUpload(title.id)).toMatchObject({ code: 'title-closed' })
  expect(await titles.acceptUpload(uploadFor(title.id, 'captions'))).toMatchObject({ code: 'title-closed' })
  expect(await titles.admitUpload('0123456789abcdef')).toMatchObject({ code: 'title-unknown' })
  expect(await titles.withdraw('0123456789abcdef', '')).toBeNull()
})

test('a withdrawal that is stored but not yet on the log says so, and says it again', async () => {
  const title = await titles.create({ name: 'A film', description: '' })
  for (let count = 0; count < 2; count++)
    await expect(titles.withdraw(title.id, 'rights')).rejects.toMatchObject({ code: 'not-announced' })
  expect((await outbox(title.id)).length).toBe(1)
})
