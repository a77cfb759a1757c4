/** A step down: a field, a place in an array, or everything in either. */
export type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'all' }
export type JsonPath = readonly Step[]

/** Sticky: each is tried at one place. Names are those of EventBridge: letters of any language, digits, `_`, `-`, `/`. */
const STEPS: readonly (readonly [RegExp, (match: RegExpExecArray) => Step])[] = [
  [/\.([\p{L}\p{N}_/-]+)/uy, (match) => ({ kind: 'field', name: match[1] ?? '' })],
  [/\[(0|[1-9]\d{0,8})\]/y, (match) => ({ kind: 'index', at: Number(match[1]) })],
  [/\['([^'\\]+)'\]|\["([^"\\]+)"\]/y, (match) => ({ kind: 'field', name: match[1] ?? match[2] ?? '' })],
  [/\.\*|\[\*\]/y, () => ({ kind: 'all' })],
]

/**
 * The part of JSONPath that EventBridge takes (`$.data.x`, `$.data.items[0].name`, `$.data.items[*].name`, `$`), and names
 * in brackets (`$.data['x y']`). Null for anything else.
 */
export function parseJsonPath(text: string): JsonPath | null {
  if (!text.startsWith('$')) return null
  const steps: Step[] = []
  let at = 1
  while (at < text.length) {
    const next = stepAt(text, at)
    if (next === null) return null
    steps.push(next.step)
    at = next.end
  }
  return steps
}

function stepAt(text: string, at: number): { step: Step; end: number } | null {
  for (const [pattern, toStep] of STEPS) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) return { step: toStep(match), end: pattern.lastIndex }
  }
  return null
}

/** What is there; undefined when nothing is. Through `*` an array of all that is there, which may be empty. */
export function readJsonPath(path: JsonPath, root: unknown): unknown {
  const isMany = path.some((step) => step.kind === 'all')
  let found: unknown[] = [root]
  for (const step of path) found = found.flatMap((value) => stepInto(value, step))
  return isMany ? found : found[0]
}

/** As an array of the values found, so that none is told apart from a value that is an array. */
function stepInto(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (step.kind === 'all') return Object.values(value)
  if (step.kind === 'index') return Array.isArray(value) && step.at < value.length ? [value[step.at]] : []
  if (Array.isArray(value) || !Object.hasOwn(value, step.name)) return []
  return [(value as Record<string, unknown>)[step.name]] // an object with that field of its own
}
