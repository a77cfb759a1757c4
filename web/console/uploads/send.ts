import { type DetailedError, Upload } from 'tus-js-client'
import { type Problem, toProblem } from '../../common/problem.ts'

export type Intent =
  | { readonly role: 'film'; readonly titleId: string }
  | { readonly role: 'captions'; readonly titleId: string; readonly language: string; readonly label: string }

/** How files travel: resumable, one call per file. */
export type Send = {
  /** The title an interrupted upload of this very file was for, if this browser remembers one. */
  interrupted(file: File): Promise<string | null>
  start(
    file: File,
    intent: Intent,
    listener: { onProgress(sentBytes: number): void; onDone(): void; onFailed(problem: Problem): void },
  ): { abort(): void }
}

const ENDPOINT = '/uploads/'
/** A role of the platform may be restarting: it is back within seconds, and the upload goes on where it was. */
const RETRY_DELAYS_MS = [0, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000]

/** Sends by tus 1.0. */
export function createTusSend(): Send {
  return {
    async interrupted(file) {
      const known = await new Upload(file, { endpoint: ENDPOINT }).findPreviousUploads()
      return known.find(({ metadata }) => metadata['role'] === 'film')?.metadata['titleId'] ?? null
    },
    start(file, intent, listener) {
      const upload = new Upload(file, {
        endpoint: ENDPOINT,
        retryDelays: RETRY_DELAYS_MS,
        removeFingerprintOnSuccess: true,
        metadata: { ...intent, filename: file.name },
        onProgress: (sentBytes) => listener.onProgress(sentBytes),
        onSuccess: () => listener.onDone(),
        onError: (error) => listener.onFailed(describe(error)),
      })
      void resume(upload, intent.titleId).then(() => upload.start())
      return { abort: () => void upload.abort().catch(() => undefined) }
    },
  }
}

async function resume(upload: Upload, titleId: string): Promise<void> {
  const known = await upload.findPreviousUploads()
  const own = known.find(({ metadata }) => metadata['titleId'] === titleId)
  if (own !== undefined) upload.resumeFromPreviousUpload(own)
}

function describe(error: Error | DetailedError): Problem {
  const response = 'originalResponse' in error ? error.originalResponse : null
  if (response === null) {
    return {
      status: 0,
      code: 'unreachable',
      detail: 'The connection was lost. What is sent already is kept: retry goes on from there.',
    }
  }
  return toProblem(response.getStatus(), parseJson(response.getBody()))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
