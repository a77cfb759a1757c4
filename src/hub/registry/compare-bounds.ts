import type { JsonSchema } from './schema-alternatives.ts'

type Bound = { readonly at: number; readonly exclusive: boolean }

const COUNTS = [
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const

/** Sentences about each bound that lets less pass than before. */
export function findTightenedBounds(before: JsonSchema, after: JsonSchema, integers: boolean): readonly string[] {
  const found: string[] = []
  const lower = [lowerBound(before, integers), lowerBound(after, integers)] as const
  const upper = [upperBound(before, integers), upperBound(after, integers)] as const
  if (isTighter(...lower, 1)) found.push(`lower bound: ${show(lower[0])} before, ${show(lower[1])} now`)
  if (isTighter(...upper, -1)) found.push(`upper bound: ${show(upper[0])} before, ${show(upper[1])} now`)
  for (const [least, most] of COUNTS) {
    const [leastBefore, leastAfter] = [numberOr(before[least], 0), numberOr(after[least], 0)]
    if (leastAfter > leastBefore) found.push(`${least}: ${leastBefore} before, ${leastAfter} now`)
    const [mostBefore, mostAfter] = [numberOr(before[most], Infinity), numberOr(after[most], Infinity)]
    if (mostAfter < mostBefore) found.push(`${most}: ${before[most] ?? 'none'} before, ${mostAfter} now`)
  }
  if (!dividesInto(after['multipleOf'], before['multipleOf']))
    found.push(`multipleOf: ${before['multipleOf'] ?? 'none'} before, ${after['multipleOf']} now`)
  if (after['uniqueItems'] === true && before['uniqueItems'] !== true) found.push('uniqueItems: not before, now')
  return found
}

function lowerBound(schema: JsonSchema, integers: boolean): Bound {
  const inclusive = { at: numberOr(schema['minimum'], -Infinity), exclusive: false }
  const exclusive = { at: numberOr(schema['exclusiveMinimum'], -Infinity), exclusive: true }
  const tighter = exclusive.at >= inclusive.at ? exclusive : inclusive
  if (!integers) return tighter
  return { at: tighter.exclusive ? Math.floor(tighter.at) + 1 : Math.ceil(tighter.at), exclusive: false }
}

function upperBound(schema: JsonSchema, integers: boolean): Bound {
  const inclusive = { at: numberOr(schema['maximum'], Infinity), exclusive: false }
  const exclusive = { at: numberOr(schema['exclusiveMaximum'], Infinity), exclusive: true }
  const tighter = exclusive.at <= inclusive.at ? exclusive : inclusive
  if (!integers) return tighter
  return { at: tighter.exclusive ? Math.ceil(tighter.at) - 1 : Math.floor(tighter.at), exclusive: false }
}

/** `sign` 1 for a lower bound, -1 for an upper one. */
function isTighter(before: Bound, after: Bound, sign: 1 | -1): boolean {
  if (after.at === before.at) return Number.isFinite(after.at) && after.exclusive && !before.exclusive
  return sign * after.at > sign * before.at
}

/** Whether all that was a multiple still is. */
function dividesInto(after: unknown, before: unknown): boolean {
  if (typeof after !== 'number' || after === before) return true
  if (typeof before !== 'number') return false
  const times = before / after
  return Number.isInteger(times)
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function show({ at, exclusive }: Bound): string {
  return Number.isFinite(at) ? `${at}${exclusive ? ' (exclusive)' : ''}` : 'none'
}
