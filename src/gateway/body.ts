import type { z } from 'zod'
import { type FieldError, toProblem } from './problem.ts'
import type { RouteCall } from './route.ts'

export type BodyOptions = {
  readonly bytesMax: number
  /** The body is in memory already, so that reading it whole costs nothing more than it has cost. */
  readonly held: boolean
}

/** `readBody` with the platform's bound. */
export type ReadBody = <Schema extends z.ZodType>(call: RouteCall, schema: Schema) => Promise<Body<z.output<Schema>>>

export type Body<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Response }

/** A JSON body that fits the schema, or the problem that names every field at fault. */
export async function readBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  options: BodyOptions,
): Promise<Body<z.output<Schema>>> {
  const type = request.headers.get('content-type')
  if (type !== 'application/json' && !isJsonType(type)) {
    const got = type === null ? 'none' : JSON.stringify(type)
    return refuse(toProblem('body-not-json-typed', `Expected content-type application/json, got ${got}.`))
  }
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity')
    return refuse(toProblem('body-not-json-typed', `Expected no content-encoding, got ${JSON.stringify(encoding)}.`))
  const text = await readText(request, options)
  if (text === null)
    return refuse(toProblem('body-too-large', `Expected at most ${options.bytesMax} bytes; send less at once.`))
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    const reason = text === '' ? 'an empty body' : (error as Error).message
    return refuse(toProblem('body-not-json', `Expected one JSON object, got ${reason}.`))
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { ok: true, value: parsed.data }
  const errors = parsed.error.issues.flatMap(toFieldErrors)
  const named = errors.map((error) => `${error.pointer || 'the body'}: ${error.detail}`).join('; ')
  return refuse(toProblem('body-invalid', `${named}. Mend these and send it again.`, { errors }))
}

function refuse(problem: Response): { readonly ok: false; readonly problem: Response } {
  return { ok: false, problem }
}

function isJsonType(type: string | null): boolean {
  return type !== null && /^application\/json\s*(;|$)/i.test(type.trim())
}

/** Null when there is more than `bytesMax`. A declared length is the server's to enforce; without one, bytes are counted. */
async function readText(request: Request, { bytesMax, held }: BodyOptions): Promise<string | null> {
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > bytesMax) return null
  if (declared === null && !held) return countText(request, bytesMax)
  const text = await request.text()
  // A UTF-16 unit is at most three bytes: only what might be too long is measured.
  if (text.length * 3 <= bytesMax) return text
  return new TextEncoder().encode(text).byteLength <= bytesMax ? text : null
}

async function countText(request: Request, bytesMax: number): Promise<string | null> {
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) return null
    chunks.push(chunk)
  }
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return new TextDecoder().decode(whole)
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
