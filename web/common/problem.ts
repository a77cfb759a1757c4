/** What went wrong, in the reader's words; `code` is stable. */
export type Problem = { readonly status: number; readonly code: string; readonly detail: string }
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

/** Reads an answer: its JSON, or its RFC 9457 problem. The server is ours and of the same build, so the shape is taken as `T`. */
export async function readAnswer<T>(response: Response): Promise<Result<T>> {
  const body = await readJson(response)
  if (response.ok && body !== undefined) return { ok: true, value: body as T }
  return { ok: false, problem: toProblem(response.status, body) }
}

/** The problem in an answer's body, or one made from its status alone. */
export function toProblem(status: number, body: unknown): Problem {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
  return {
    status,
    code: text(fields['code']) ?? `http-${status}`,
    detail: text(fields['detail']) ?? text(fields['title']) ?? `The server answered with status ${status}.`,
  }
}

/** No answer at all: offline, refused, cut or too late. */
export function unreachable(error: unknown): Problem {
  const late = error instanceof DOMException && error.name === 'TimeoutError'
  return late
    ? { status: 0, code: 'timeout', detail: 'The server took too long to answer.' }
    : { status: 0, code: 'unreachable', detail: 'The server could not be reached. Check the connection.' }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}
