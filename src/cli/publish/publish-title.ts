import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { StaffTitle } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import type { Staff } from '../staff.ts'
import { followTitle } from './follow.ts'
import { createResumeStore } from './resume-store.ts'
import { uploadFile } from './upload.ts'

/** How often an upload's progress is told at most. */
const UPLOAD_TOLD_MS = 100

export type CaptionsFile = { readonly file: string; readonly language: string | null; readonly label: string | null }

/** What happens to a film on its way, in order; one JSON object each with `--json`. */
export type PublishEvent =
  | { readonly type: 'created'; readonly titleId: string; readonly resumed: boolean }
  | {
      readonly type: 'upload'
      readonly titleId: string
      readonly fileName: string
      readonly sentBytes: number
      readonly totalBytes: number
    }
  | {
      readonly type: 'progress'
      readonly titleId: string
      readonly percent: number
      readonly stages: StaffTitle['stages']
    }
  | { readonly type: 'playable'; readonly titleId: string; readonly url: string }
  | { readonly type: 'published'; readonly titleId: string; readonly url: string }
  | { readonly type: 'failed'; readonly titleId: string; readonly code: string; readonly reason: string }

export type PublishRequest = {
  readonly staff: Staff
  readonly file: string
  readonly name: string
  readonly description: string
  readonly captions: readonly CaptionsFile[]
}

/**
 * Publishes a film: creates its title, uploads captions and film (going on with an upload that was broken off), and
 * follows it until it is published, failed or withdrawn. The film is the platform's once its upload is acknowledged:
 * whoever stops listening then stops nothing. Faults before that: `file-unreadable`, `upload-broken` and control's codes.
 */
export async function* publishTitle(request: PublishRequest): AsyncGenerator<PublishEvent> {
  const { staff, captions } = request
  for (const path of [request.file, ...captions.map((track) => track.file)]) await checkReadable(path)
  const uploads = createResumeStore(join(staff.home, 'cli-uploads.json'))
  const fingerprint = await fingerprintOf(request)
  const unfinished = await findUnfinished(staff, await uploads.find(fingerprint))
  const titleId = unfinished?.titleId ?? (await createTitle(request)).id
  yield { type: 'created', titleId, resumed: unfinished !== null }

  const steps =
    unfinished === null ? captions.map((track) => ({ file: track.file, metadata: captionsMetadata(track) })) : []
  for (const { file, metadata } of steps)
    yield* upload({ staff, file, titleId, metadata, resumeFrom: null, onBegun: async () => {} })
  yield* upload({
    staff,
    file: request.file,
    titleId,
    metadata: { role: 'film' },
    resumeFrom: unfinished?.uploadPath ?? null,
    onBegun: (uploadPath) => uploads.remember({ fingerprint, titleId, uploadPath, begunAtMs: Date.now() }),
  })
  await uploads.forget(fingerprint)
  yield* follow(staff, titleId)
}

async function* upload(step: {
  staff: Staff
  file: string
  titleId: string
  metadata: Record<string, string>
  resumeFrom: string | null
  onBegun: (uploadPath: string) => Promise<void>
}): AsyncGenerator<PublishEvent> {
  const { titleId, file, metadata, ...rest } = step
  const fileName = file.split('/').at(-1) ?? file
  const totalBytes = (await stat(file)).size
  let sent = -1
  let toldAtMs = Number.NEGATIVE_INFINITY
  let ended = false
  let wake = Promise.withResolvers<void>()
  const whole = uploadFile({
    ...rest,
    file,
    metadata: { ...metadata, titleId },
    onProgress(sentBytes) {
      sent = sentBytes
      wake.resolve()
    },
  }).finally(() => {
    ended = true
    wake.resolve()
  })
  whole.catch(() => {})
  while (!ended) {
    await wake.promise
    wake = Promise.withResolvers<void>()
    if (ended || sent >= totalBytes || performance.now() - toldAtMs < UPLOAD_TOLD_MS) continue
    toldAtMs = performance.now()
    yield { type: 'upload', titleId, fileName, sentBytes: sent, totalBytes }
  }
  await whole
  // Only now: all bytes sent is not yet all bytes acknowledged.
  yield { type: 'upload', titleId, fileName, sentBytes: totalBytes, totalBytes }
}

async function* follow(staff: Staff, titleId: string): AsyncGenerator<PublishEvent> {
  let isPlayable = false
  let shown = ''
  for await (const title of followTitle(staff, titleId)) {
    const progress = { percent: title.percent, stages: title.stages }
    if (JSON.stringify(progress) !== shown && title.stages.length > 0) {
      shown = JSON.stringify(progress)
      yield { type: 'progress', titleId, ...progress }
    }
    if ((title.state === 'playable' || title.state === 'published') && !isPlayable) {
      isPlayable = true
      yield { type: 'playable', titleId, url: title.watchUrl }
    }
    if (title.state === 'published') {
      yield { type: 'published', titleId, url: title.watchUrl }
      return
    }
    if (title.state === 'failed' || title.state === 'withdrawn') {
      const code = title.code ?? title.state
      yield { type: 'failed', titleId, code, reason: title.reason || `the title was ${title.state}` }
      return
    }
  }
}

function createTitle({ staff, name, description }: PublishRequest): Promise<StaffTitle> {
  return staff.call<StaffTitle>('POST', '/api/titles', { name, description })
}

/** An upload that was broken off, if its title still waits for it. */
async function findUnfinished<T extends { titleId: string }>(staff: Staff, found: T | null): Promise<T | null> {
  if (found === null) return null
  try {
    return (await staff.title(found.titleId)).state === 'uploading' ? found : null
  } catch (error) {
    if (error instanceof Fault && error.code === 'title-not-found') return null
    throw error
  }
}

/** The same file, unchanged, for the same title. */
async function fingerprintOf({ file, name, description, captions }: PublishRequest): Promise<string> {
  const { size, mtimeMs } = await stat(file)
  return JSON.stringify([resolve(file), size, mtimeMs, name, description, captions])
}

async function checkReadable(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile())
    throw new Fault('file-unreadable', `${path}: expected a file, there is ${found ? 'something else' : 'none'}`)
}

function captionsMetadata({ language, label }: CaptionsFile): Record<string, string> {
  return {
    role: 'captions',
    ...(language === null ? {} : { language }),
    ...(label === null ? {} : { label }),
  }
}
