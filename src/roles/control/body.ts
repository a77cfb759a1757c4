import type { z } from 'zod'
import { isJsonTextDeep, PATTERN_LIMITS } from '../../kernel/index.ts'
import { type FieldError, toProblem } from './problem.ts'

export type Body<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Response }

/** A JSON body that fits the schema, or the problem that names each field at fault. An empty body counts as `{}`. */
export async function readBody<T>(
  request: Request,
  schema: z.ZodType<T>,
  options: { bytesMax: number },
): Promise<Body<T>> {
  const text = await readText(request, options.bytesMax)
  if (text === null) {
    const detail = `Expected a body of at most ${options.bytesMax} bytes.`
    return { ok: false, problem: toProblem({ status: 413, code: 'body-too-large', detail }) }
  }
  const type = request.headers.get('content-type')
  if (text !== '' && !/^application\/json\s*(;|$)/i.test(type?.trim() ?? '')) {
    const detail = `Expected content-type application/json, got ${JSON.stringify(type)}.`
    return { ok: false, problem: toProblem({ status: 415, code: 'body-not-json-typed', detail }) }
  }
  if (isJsonTextDeep(text, PATTERN_LIMITS.eventDepthMax)) {
    const detail = `Expected at most ${PATTERN_LIMITS.eventDepthMax} objects and arrays inside one another.`
    return { ok: false, problem: toProblem({ status: 400, code: 'body-too-deep', detail }) }
  }
  let json: unknown
  try {
    json = text === '' ? {} : JSON.parse(text)
  } catch (error) {
    const detail = `Expected one JSON object: ${error instanceof Error ? error.message : error}.`
    return { ok: false, problem: toProblem({ status: 400, code: 'body-not-json', detail }) }
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { ok: true, value: parsed.data }
  const errors = parsed.error.issues.flatMap(toFieldErrors)
  const detail = errors.map((error) => `${error.pointer || 'the body'}: ${error.detail}`).join('; ')
  return { ok: false, problem: toProblem({ status: 400, code: 'body-invalid', detail, errors }) }
}

async function readText(request: Request, bytesMax: number): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return null
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** An unknown field is named itself, not the object it stands in. */
function toFieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: toPointer(issue.path), detail: issue.message }]
  return issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), detail: 'there is no such field' }))
}

/** RFC 6901. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
