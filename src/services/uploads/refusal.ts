import { describeError, Fault, type Logger } from '../../kernel/index.ts'
import { CHECKSUM_ALGORITHMS } from './checksum.ts'
import type { FieldError } from './metadata.ts'

/** Why a request on an upload is refused; becomes problem details. */
export type UploadRefusal = {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: readonly FieldError[]
}

/** The shape the tus library turns into an answer: its body is a refusal as JSON, for `fromTusResponse`. */
export function toTusError(refusal: UploadRefusal): Error & { status_code: number; body: string } {
  return Object.assign(new Error(refusal.detail), { status_code: refusal.status, body: JSON.stringify({ refusal }) })
}

const LIBRARY_CODES: Readonly<Record<number, string>> = {
  400: 'upload-invalid',
  403: 'upload-invalid',
  404: 'upload-not-found',
  409: 'upload-offset',
  410: 'upload-gone',
  412: 'tus-version',
  413: 'upload-too-large',
  423: 'upload-locked',
}

/** The refusal in an answer of the library's, whether it was ours (`toTusError`) or its own words. */
export async function fromTusResponse(response: Response): Promise<UploadRefusal> {
  const text = (await response.text()).trim()
  const ours = parseRefusal(text)
  if (ours) return ours
  return {
    status: response.status,
    code: LIBRARY_CODES[response.status] ?? 'upload-failed',
    detail: text === '' ? 'The upload could not be served.' : text,
  }
}

function parseRefusal(text: string): UploadRefusal | null {
  if (!text.startsWith('{"refusal":')) return null
  return (JSON.parse(text) as { refusal: UploadRefusal }).refusal // only `toTusError` writes this prefix
}

/** A title that takes no uploads (any more). */
export function toTitleRefusal(refused: { readonly code: string; readonly message: string }): UploadRefusal {
  return { status: refused.code === 'title-unknown' ? 404 : 410, code: refused.code, detail: refused.message }
}

export function badChecksum(header: string | null): UploadRefusal {
  return {
    status: 400,
    code: 'checksum-invalid',
    detail: `Upload-Checksum: expected one of ${CHECKSUM_ALGORITHMS.join(', ')} and a base64 digest, got ${JSON.stringify(header?.slice(0, 100))}`,
  }
}

/** What nobody refused on purpose: an engine that is away, a full disk, a bug. All may be resumed later. */
export function fromUnexpected(error: unknown, logger: Logger): UploadRefusal {
  logger.error('an upload request failed', { error: describeError(error) })
  if (error instanceof Fault)
    return {
      status: 503,
      code: 'unavailable',
      detail: 'the platform cannot take this in right now; resume in a moment',
    }
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return { status: 507, code: 'storage-full', detail: 'there is no room on the disk; free some, then resume' }
  return { status: 500, code: 'internal', detail: 'something unexpected went wrong; the log of control says what' }
}
