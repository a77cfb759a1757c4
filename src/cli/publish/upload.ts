import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { DetailedError, Upload } from 'tus-js-client'
import { describeError, Fault } from '../../kernel/index.ts'
import { type Staff, toFault } from '../staff.ts'

/** One request of this size at a time: what is lost with a broken connection, and what is held in memory. */
const CHUNK_BYTES = 8 * 1024 * 1024
/** Control is back in about a second when its process dies; a whole restart of the platform takes longer. Progress starts it over. */
const RETRY_DELAYS_MS = [100, 200, 400, 800, 1_500, 3_000, 5_000, 5_000, 10_000, 10_000, 20_000]

export type UploadRequest = {
  readonly staff: Staff
  readonly file: string
  readonly metadata: Readonly<Record<string, string>>
  /** Path of an upload to go on with. */
  readonly resumeFrom: string | null
  onBegun(uploadPath: string): Promise<void>
  onProgress(sentBytes: number, totalBytes: number): void
}

/** Uploads a file by tus; resolves when control has acknowledged it whole. Faults: `upload-refused` and control's own codes. */
export async function uploadFile(request: UploadRequest): Promise<void> {
  const { staff, file, metadata, resumeFrom } = request
  const { size } = await stat(file)
  const done = Promise.withResolvers<void>()
  const source = createReadStream(file)
  // Only its path is read from; the client opens each part itself.
  source.on('error', (error) => done.reject(error))
  const upload: Upload = new Upload(source as unknown as Pick<ReadableStreamDefaultReader, 'read'>, {
    endpoint: new URL('/uploads/', staff.consoleUrl).href,
    uploadUrl: resumeFrom === null ? null : new URL(resumeFrom, staff.consoleUrl).href,
    uploadSize: size,
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    headers: { ...staff.headers },
    metadata: { ...metadata, filename: basename(file) },
    onProgress: (sent, total) => request.onProgress(sent, total),
    onUploadUrlAvailable() {
      if (upload.url !== null) request.onBegun(new URL(upload.url, staff.consoleUrl).pathname).catch(done.reject)
    },
    onSuccess: () => done.resolve(),
    onError: (error) => done.reject(explain(error, file)),
    onShouldRetry: (error) => isWorthRetrying(error.originalResponse?.getStatus()),
  })
  upload.start()
  await done.promise
  source.destroy()
}

/** No answer, a server in trouble, or an upload that the broken connection still holds. */
function isWorthRetrying(status: number | undefined): boolean {
  return status === undefined || status === 0 || status >= 500 || status === 409 || status === 423 || status === 429
}

function explain(error: Error | DetailedError, file: string): Fault {
  const response = error instanceof DetailedError ? error.originalResponse : null
  if (response) return toFault(response.getStatus(), response.getBody())
  return new Fault(
    'upload-broken',
    `the upload of ${file} broke off: ${describeError(error)}; the same command goes on with it`,
  )
}
