import type { z } from 'zod'
import { createStoreClient } from '../engines/store/index.ts'
import { createPublisher, type Publisher } from '../hub/index.ts'
import { DEFAULT_LIMITS, describeError, Fault, silentLogger } from '../kernel/index.ts'
import { layoutOf } from '../roles/index.ts'
import { findPlatform, type Staff, toFault } from './staff.ts'
import { UsageError } from './usage.ts'

/** What is urgent does not wait for control to come back. */
const CONTROL_WAIT_MS = 2_000

export type Telling<T> = {
  /** Of the staff API. */
  readonly path: string
  readonly body: unknown
  /** What control takes: the same goes for the log. */
  readonly bodySchema: z.ZodType
  readonly answerSchema: z.ZodType<T>
  /** The same without control: onto the log itself. A repeat must have no further effect, for control may have done it. */
  publish(publisher: Publisher): Promise<T>
}

/**
 * Tells every edge over the log: through control, or, when that does not do it, through this machine's store. Durable when
 * it resolves. Faults: the code of the problem by which control refused it, `unreachable`.
 */
export async function tellEdges<T>(
  environment: Readonly<Record<string, string | undefined>>,
  telling: Telling<T>,
): Promise<T> {
  checkBody(telling)
  const staff = await findPlatform(environment)
  const answer = await askControl(staff, telling)
  if (answer.kind === 'refused') throw answer.fault
  return answer.kind === 'done' ? answer.value : await publishAtStore(staff.home, telling)
}

type Answered<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'not-done' }

/**
 * Only what control itself says is a refusal. A fault of its own, a token that it does not know, and whatever another
 * program says that has its port now, are none: the store decides then. Pure.
 */
export function decideAnswer<T>(
  { status, text }: { readonly status: number; readonly text: string },
  answerSchema: z.ZodType<T>,
): Answered<T> {
  if (status >= 200 && status < 300) {
    const answer = answerSchema.safeParse(parseJson(text))
    return answer.success ? { kind: 'done', value: answer.data } : { kind: 'not-done' }
  }
  if (status < 400 || status >= 500 || status === 401) return { kind: 'not-done' }
  const fault = toFault(status, text)
  return fault.code === 'unexpected-answer' ? { kind: 'not-done' } : { kind: 'refused', fault }
}

async function askControl<T>(staff: Staff, { path, body, answerSchema }: Telling<T>): Promise<Answered<T>> {
  const asked = fetch(new URL(path, staff.consoleUrl), {
    method: 'POST',
    headers: { ...staff.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CONTROL_WAIT_MS),
    redirect: 'manual',
  }).then(async (response) => ({ status: response.status, text: await response.text() }))
  const answer = await asked.catch(() => null)
  return answer === null ? { kind: 'not-done' } : decideAnswer(answer, answerSchema)
}

/** Before anyone is told: a body that control would refuse is no matter for the store either. */
function checkBody({ body, bodySchema }: Pick<Telling<unknown>, 'body' | 'bodySchema'>): void {
  const checked = bodySchema.safeParse(body)
  if (checked.success) return
  const faults = checked.error.issues.map(({ path, message }) => {
    const got = path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], body) // it has led there
    const length = typeof got === 'string' ? `, got ${got.length} characters` : ''
    return `${path.join('.')}: ${message}${length}`
  })
  throw new UsageError(faults.join('; '))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function publishAtStore<T>(home: string, { publish }: Telling<T>): Promise<T> {
  const path = layoutOf(home).storeSocket
  const store = createStoreClient({ path, limits: DEFAULT_LIMITS, logger: silentLogger })
  try {
    return await publish(createPublisher({ log: store.log, source: 'cli' }))
  } catch (cause) {
    const what = `neither control nor the store at ${path} took it: ${describeError(cause)}`
    throw new Fault('unreachable', `${what}; see "tentpole status", then ask again: a repeat has no further effect`, {
      cause,
    })
  } finally {
    await store.close()
  }
}
