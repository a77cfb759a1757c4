import { mkdir } from 'node:fs/promises'
import { Server, type Upload } from '@tus/server'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { createShortId, type Limits, type Logger } from '../../kernel/index.ts'
import { CHECKSUM_ALGORITHMS, parseChecksum } from './checksum.ts'
import { DurableFileStore, type RequestScope, requestScope } from './file-store.ts'
import { createUploadLocks } from './locks.ts'
import { parseIntent } from './metadata.ts'
import {
  badChecksum,
  fromTusResponse,
  fromUnexpected,
  toTitleRefusal,
  toTusError,
  type UploadRefusal,
} from './refusal.ts'
import { createSettle, type Settled, type UploadTitles } from './settle.ts'
import { createSweep, removeLeftovers } from './sweep.ts'

const PATH = '/uploads'
const UPLOAD_ID = /^[0-9a-hjkmnp-tv-z]{16}$/
/** How long a request asked to let go of its upload may still take to write down what it has. */
const LET_GO_MS = 200

export type Uploads = {
  /** tus 1.0 below `/uploads`: creation, creation-with-upload, checksum, termination, expiration. */
  handle(request: Request): Promise<Response>
  /** Takes in what is complete, removes what is not wanted any more; by itself at start and every `uploadSweepMs`. */
  sweep(): Promise<void>
  close(): void
}

/**
 * Resumable uploads into `objects`. Bytes are on disk when a PATCH is acknowledged; the last PATCH of a file is
 * acknowledged when the object is stored *and* the title's row and its event are. `toProblem` makes the error answers.
 */
export async function createUploads(options: {
  directory: string
  objects: ObjectsPort
  titles: UploadTitles
  limits: Limits
  logger: Logger
  toProblem(refusal: UploadRefusal): Response
}): Promise<Uploads> {
  const { directory, objects, titles, limits, logger, toProblem } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await removeLeftovers(directory)
  const store = new DurableFileStore({ directory, keptMs: limits.uploadKeptMs, idleMs: limits.uploadIdleMs })
  const locks = createUploadLocks({ waitMs: limits.uploadLockWaitMs })
  const settle = createSettle({ store, objects, titles, logger })
  const sweep = createSweep({ store, locks, titles, settle, keptMs: limits.uploadKeptMs, logger })

  const server = new Server({
    path: PATH,
    datastore: store,
    relativeLocation: true,
    maxSize: limits.uploadBytesMax,
    allowedOrigins: () => false,
    lockDrainTimeout: LET_GO_MS,
    locker: (request) => locks.lockerFor(request.method),
    namingFunction() {
      const id = createShortId()
      const scope = requestScope.getStore()
      if (scope) scope.createdId = id
      return id
    },
    async onUploadCreate(_, upload) {
      const refusal = await refuseCreation(upload)
      if (refusal) throw toTusError(refusal)
      return {}
    },
    async onUploadFinish(_, upload) {
      const settled = await settle(upload.id)
      if (settled && 'refusal' in settled) throw toTusError(settled.refusal)
      // It is in `objects` now and cannot expire; with a date the library would look for its file to say when it does.
      upload.creation_date = undefined
      return {}
    },
    onResponseError: (_, error) => ('status_code' in error ? undefined : toTusError(fromUnexpected(error, logger))),
  })

  const refuseCreation = async (upload: Upload): Promise<UploadRefusal | null> => {
    const parsed = parseIntent(upload.metadata)
    if (!parsed.ok) {
      const named = parsed.errors.map((error) => `${error.pointer}: ${error.detail}`).join('; ')
      return { status: 400, code: 'upload-metadata-invalid', detail: named, errors: parsed.errors }
    }
    if (parsed.intent.role === 'captions' && (upload.size ?? 0) > limits.captionBytesMax) {
      const detail = `Upload-Length: expected at most ${limits.captionBytesMax} bytes of captions, got ${upload.size}`
      return { status: 413, code: 'upload-too-large', detail }
    }
    const refused = await titles.admitUpload(parsed.intent.titleId)
    if (refused) return toTitleRefusal(refused)
    const open = (await store.listUploads()).length
    if (open < limits.uploadsOpenMax) return null
    const detail = `${open} uploads are open, the limit is ${limits.uploadsOpenMax}; finish or remove one first`
    return { status: 429, code: 'too-many-uploads', detail }
  }

  /** A PATCH for a title that takes nothing any more ends its upload. */
  const refusePatch = async (id: string): Promise<UploadRefusal | null> => {
    const record = await store.configstore.get(id)
    const parsed = record ? parseIntent(record.metadata) : null
    if (!parsed?.ok) return null
    const refused = await titles.admitUpload(parsed.intent.titleId)
    if (!refused) return null
    await discard(id)
    return toTitleRefusal(refused)
  }

  const discard = async (id: string): Promise<void> => {
    const release = locks.tryLock(id)
    if (!release) return
    try {
      if (await store.configstore.get(id)) await store.remove(id)
    } finally {
      release()
    }
  }

  /** A client that asks where a complete upload stands is told so only once it is taken in. */
  const settledHead = async (id: string, answer: Response): Promise<Response> => {
    const offset = answer.headers.get('upload-offset')
    if (answer.ok && offset !== answer.headers.get('upload-length')) return answer
    const settled = await settle(id)
    return settled ? toHeadResponse(settled) : answer
  }
  const toHeadResponse = (settled: Settled): Response => {
    if ('refusal' in settled) return toProblem(settled.refusal)
    const bytes = String(settled.bytes)
    const headers = { 'tus-resumable': '1.0.0', 'cache-control': 'no-store' }
    return new Response(null, { headers: { ...headers, 'upload-offset': bytes, 'upload-length': bytes } })
  }

  const serve = async (request: Request, id: string | null): Promise<Response> => {
    const checksum = parseChecksum(request.headers.get('upload-checksum'))
    if (checksum === 'invalid') return toProblem(badChecksum(request.headers.get('upload-checksum')))
    const refusal = id && request.method === 'PATCH' ? await refusePatch(id) : null
    if (refusal) return toProblem(refusal)
    const scope: RequestScope = { checksum, createdId: null }
    const answer = await requestScope.run(scope, () => server.handleWeb(request))
    const response = id && request.method === 'HEAD' ? await settledHead(id, answer) : answer
    // The client of a failed creation never learns the address, so nobody could go on with it.
    if (response.status >= 400 && scope.createdId) await discard(scope.createdId)
    if (request.method === 'OPTIONS') response.headers.set('tus-checksum-algorithm', CHECKSUM_ALGORITHMS.join(','))
    return response.status < 400 || isProblem(response) ? response : toProblem(await fromTusResponse(response))
  }

  void sweep()
  const timer = setInterval(() => void sweep(), limits.uploadSweepMs)
  return {
    sweep,
    close: () => clearInterval(timer),
    async handle(request) {
      const id = idOf(request)
      if (id !== null && !UPLOAD_ID.test(id)) {
        const detail = `there is no upload ${JSON.stringify(id.slice(0, 64))}`
        return toProblem({ status: 404, code: 'upload-not-found', detail })
      }
      try {
        return await serve(request, id)
      } catch (error) {
        return toProblem(fromUnexpected(error, logger))
      }
    },
  }
}

function idOf(request: Request): string | null {
  const rest = new URL(request.url).pathname.slice(PATH.length).replace(/^\/|\/$/g, '')
  return rest === '' ? null : rest
}

function isProblem(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/problem+json') ?? false
}
