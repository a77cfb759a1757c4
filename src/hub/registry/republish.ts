import type { DataCheck, DataError, Registry } from '../../contracts/index.ts'
import { describeError } from '../../kernel/index.ts'

/**
 * What is wrong with data that passed its schema as `checked` and is about to be written as JSON: whoever reads it checks
 * it again, and must then see what was published. Schemas can have rules of code that nothing else tells about.
 */
export function findRepublishErrors(
  registry: Pick<Registry, 'check'>,
  type: string,
  { given, checked }: { readonly given: unknown; readonly checked: unknown },
): readonly DataError[] {
  // Passed as it is, it passes as it is again.
  if (checked === undefined || (checked === given && isJsonOnly(checked))) return []
  let text: string | undefined
  let again: DataCheck
  try {
    text = JSON.stringify(checked)
    if (text === undefined) return toErrors('got something else')
    again = registry.check(type, JSON.parse(text))
  } catch (error) {
    return toErrors(describeError(error))
  }
  if (!again.ok) return again.errors.map(({ path, detail }) => ({ path, detail: `as JSON, read again: ${detail}` }))
  return JSON.stringify(again.data) === text ? [] : toErrors('read again, it becomes something else by its schema')
}

const toErrors = (reason: string): readonly DataError[] => [
  { path: 'data', detail: `expected what JSON can hold, and its schema leaves as it is: ${reason}` },
]

/** As deep as what has been checked may be. */
function isJsonOnly(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isJsonOnly)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const fields = value as Readonly<Record<string, unknown>> // any object can be looked at by name
  for (const name in fields) if (!isJsonOnly(fields[name])) return false
  return true
}
