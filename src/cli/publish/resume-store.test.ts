import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createResumeStore } from './resume-store.ts'

const upload = { fingerprint: 'film', titleId: '0123456789abcdef', uploadPath: '/uploads/x', begunAtMs: 1_000 }

test('an unfinished upload is found until it is finished or too old, also by another process', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-resume-'))
  try {
    const path = join(directory, 'uploads.json')
    let nowMs = 2_000
    const store = createResumeStore(path, () => nowMs)
    expect(await store.find('film')).toBeNull()
    await store.remember(upload)
    await store.remember({ ...upload, fingerprint: 'other' })
    await store.remember({ ...upload, uploadPath: '/uploads/y' })
    expect(await createResumeStore(path, () => nowMs).find('film')).toEqual({ ...upload, uploadPath: '/uploads/y' })
    await store.forget('film')
    expect([await store.find('film'), (await store.find('other'))?.titleId]).toEqual([null, upload.titleId])
    nowMs += 25 * 3_600_000
    expect(await store.find('other')).toBeNull()
    writeFileSync(path, '{"half":')
    expect(await store.find('other')).toBeNull()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a note that cannot be written costs no upload', async () => {
  const store = createResumeStore(join(tmpdir(), 'no-such-directory', 'uploads.json'))
  await store.remember(upload)
  await store.forget('film')
  expect(await store.find('film')).toBeNull()
})
