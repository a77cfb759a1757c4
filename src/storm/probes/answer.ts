/** What came of one request. */
export type Answer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly bytes: Uint8Array
      /** When its head had arrived, ms from the storm's begin. */
      readonly beganMs: number
    }
  /** A timeout, or a connection that failed. */
  | { readonly kind: 'silent'; readonly why: string }
  /** The storm ended meanwhile. */
  | { readonly kind: 'stopped' }

/** What an answer means to whoever asked for something there must be. */
export type Got<T> = { readonly kind: 'fine'; readonly value: T } | Trouble | { readonly kind: 'stopped' }
export type Trouble = {
  /** `passing`: what happens under load and faults, an error but no violation. `refused`: said, or served, as if it were final. */
  readonly kind: 'passing' | 'refused'
  /** The code of the problem, where it was one. */
  readonly code: string | null
  readonly why: string
}

/** `read` gives what the bytes hold, or says why they are not what was asked for. */
export type Read<T> = (
  bytes: Uint8Array,
) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

const PASSING: ReadonlySet<number> = new Set([408, 425, 429])

export function judgeAnswer<T>(answer: Answer, what: string, read: Read<T>): Got<T> {
  if (answer.kind === 'stopped') return answer
  if (answer.kind === 'silent') return { kind: 'passing', code: null, why: `${what}: ${answer.why}` }
  const { status, bytes } = answer
  if (status === 200 || status === 202) {
    const found = read(bytes)
    return found.ok
      ? { kind: 'fine', value: found.value }
      : { kind: 'refused', code: null, why: `${what}: ${status} with ${found.why}` }
  }
  const code = problemCodeOf(bytes)
  const kind = status >= 500 || PASSING.has(status) ? 'passing' : 'refused'
  return { kind, code, why: `${what}: ${status}${code === null ? '' : ` ${code}`}` }
}

/** The `code` of problem details (RFC 9457). */
function problemCodeOf(bytes: Uint8Array): string | null {
  try {
    const problem: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(0, 16_384)))
    if (typeof problem !== 'object' || problem === null || !('code' in problem)) return null
    return typeof problem.code === 'string' ? problem.code : null
  } catch {
    return null
  }
}
