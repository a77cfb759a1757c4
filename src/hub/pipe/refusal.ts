import type { z } from 'zod'
import type { DataError } from '../../contracts/index.ts'
import { describeError } from '../../kernel/index.ts'

/** Stable: what of a pipe a record failed at. */
export type RefusalCode =
  | 'filter-failed'
  | 'payload-missing'
  | 'decode-failed'
  | 'schema-refused'
  | 'transform-failed'
  | 'enrich-failed'
  | 'event-invalid'

/** Why a record is put into quarantine. `path` is a JSON Pointer to the first field at fault. */
export type Refusal = {
  readonly code: RefusalCode
  readonly reason: string
  readonly path: string | null
  readonly attempts: number
}

const REASON_CHARS_MAX = 2_000
const ERRORS_SHOWN_MAX = 10

export function toRefusal(code: RefusalCode, error: unknown, attempts: number = 1): Refusal {
  return { code, reason: cut(describeError(error)), path: null, attempts }
}

/** What the pipe's schema said of the decoded value. */
export function refusedBySchema(error: z.ZodError): Refusal {
  const issues = error.issues.map(({ path, message }) => ({ path: toPointer(path.map(String)), detail: message }))
  return { code: 'schema-refused', ...toReason(issues), attempts: 1 }
}

/** What the event's own schema said. The registry parts the path by dots, from `data` on. */
export function refusedByEvent(type: string, errors: readonly DataError[]): Refusal {
  const issues = errors.map(({ path, detail }) => ({ path: toPointer(path.split('.')), detail }))
  const { reason, path } = toReason(issues)
  return { code: 'event-invalid', reason: cut(`${type}: ${reason}`), path, attempts: 1 }
}

type Issue = { readonly path: string; readonly detail: string }

function toReason(issues: readonly Issue[]): { reason: string; path: string | null } {
  const shown = issues.slice(0, ERRORS_SHOWN_MAX).map(({ path, detail }) => `${path || '(the whole)'}: ${detail}`)
  const more = issues.length > ERRORS_SHOWN_MAX ? `; and ${issues.length - ERRORS_SHOWN_MAX} more` : ''
  return { reason: cut(shown.join('; ') + more), path: issues[0]?.path ?? null }
}

/** RFC 6901. */
function toPointer(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const cut = (text: string): string =>
  text.length > REASON_CHARS_MAX ? `${text.slice(0, REASON_CHARS_MAX - 1)}…` : text
