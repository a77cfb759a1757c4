import { z } from 'zod'

/** True: `schema.safeParse` takes the data and changes nothing about it. False: that is for Zod to say. */
export type QuickCheck = (data: unknown) => boolean

/**
 * Says of nearly all data that passes what Zod says, in a fraction of the time and without a copy: the bus checks every event.
 * It may be unsure, and never wrong: what a schema has that is not read here is asked of Zod itself, for just that part.
 */
export function compileQuickCheck(schema: z.core.$ZodType, around: Within = []): QuickCheck {
  // One that holds itself: as deep as its data is, which nobody knows here.
  if (around.includes(schema)) return askZod(schema)
  const within = [...around, schema]
  const { def } = (schema as z.core.$ZodTypes)._zod // the union of all that Zod has, by `def.type`
  switch (def.type) {
    case 'string':
      return compileString(def) ?? askZod(schema)
    case 'number':
      return compileNumber(def) ?? askZod(schema)
    case 'boolean':
      return isPlain(def) ? (data) => typeof data === 'boolean' : askZod(schema)
    case 'enum':
      return isPlain(def) ? compileValues(schema) : askZod(schema)
    case 'literal':
      return isPlain(def) ? compileValues(schema) : askZod(schema)
    case 'nullable':
      return isPlain(def) ? compileNullable(def.innerType, within) : askZod(schema)
    case 'array':
      return compileArray(def, within) ?? askZod(schema)
    case 'object':
      return compileObject(def, within) ?? askZod(schema)
    default:
      return askZod(schema)
  }
}

/** From the outermost on. */
type Within = readonly z.core.$ZodType[]
type Def = z.core.$ZodTypeDef & { readonly coerce?: boolean }
type Check = z.core.$ZodCheck<never>
type Rule<T> = (value: T) => boolean

function isPlain(def: Def): boolean {
  return (def.checks ?? []).length === 0 && def.coerce !== true
}

function askZod(schema: z.core.$ZodType): QuickCheck {
  return (data) => {
    const checked = z.safeParse(schema, data)
    return checked.success && Object.is(checked.data, data)
  }
}

/** Null when there is one among them that is not known here. */
function compileRules<T>(
  checks: readonly Check[] | undefined,
  toRule: (check: Check['_zod']['def']) => Rule<T> | null,
): Rule<T> | null {
  const rules: Rule<T>[] = []
  for (const check of checks ?? []) {
    const rule = toRule(check._zod.def)
    if (rule === null) return null
    rules.push(rule)
  }
  const [first, second, ...more] = rules
  if (!first) return () => true
  if (!second) return first
  return more.length === 0 ? (value) => first(value) && second(value) : (value) => rules.every((rule) => rule(value))
}

function compileString(def: z.core.$ZodStringDef): QuickCheck | null {
  // A format of its own, such as an address, may change what it is given.
  if (def.coerce || 'format' in def) return null
  const rule = compileRules<string>(def.checks, toStringRule)
  return rule && ((data) => typeof data === 'string' && rule(data))
}

/** Zod counts code points, which are one or two units each: taken is what passes either way. */
function toStringRule(check: Check['_zod']['def']): Rule<string> | null {
  const known = check as z.core.$ZodChecks['_zod']['def'] // by `check`, the union of all that Zod has
  if (known.check === 'max_length') return ({ length }) => length <= known.maximum
  if (known.check === 'min_length') {
    const units = known.minimum <= 1 ? known.minimum : known.minimum * 2
    return ({ length }) => length >= units
  }
  if (known.check !== 'string_format' || known.format !== 'regex') return null
  const { pattern } = known
  // One that remembers where it was is Zod's to set back.
  return pattern && !pattern.global && !pattern.sticky ? (text) => pattern.test(text) : null
}

function compileNumber(def: z.core.$ZodNumberDef): QuickCheck | null {
  if (def.coerce) return null
  const isFormat = 'format' in def
  if (isFormat && def.format !== 'safeint') return null
  const rule = compileRules<number>(def.checks, toNumberRule)
  const isGood = isFormat ? Number.isSafeInteger : Number.isFinite
  return rule && ((data) => typeof data === 'number' && isGood(data) && rule(data))
}

function toNumberRule(check: Check['_zod']['def']): Rule<number> | null {
  const known = check as z.core.$ZodChecks['_zod']['def'] // as above
  if (known.check === 'number_format') return known.format === 'safeint' ? Number.isSafeInteger : null
  if (known.check !== 'greater_than' && known.check !== 'less_than') return null
  const { value: bound, inclusive } = known
  if (typeof bound !== 'number') return null
  if (known.check === 'greater_than') return inclusive ? (value) => value >= bound : (value) => value > bound
  return inclusive ? (value) => value <= bound : (value) => value < bound
}

function compileValues(schema: z.core.$ZodType): QuickCheck {
  const values = schema._zod.values ?? new Set()
  return (data) => values.has(data as z.core.util.Primitive) // whatever it is, it may be looked for
}

function compileNullable(inner: z.core.$ZodType, within: Within): QuickCheck {
  const check = compileQuickCheck(inner, within)
  return (data) => data === null || check(data)
}

function compileArray(def: z.core.$ZodArrayDef, within: Within): QuickCheck | null {
  const isSized = compileRules<readonly unknown[]>(def.checks, toSizeRule)
  if (isSized === null) return null
  const check = compileQuickCheck(def.element, within)
  return (data) => {
    if (!Array.isArray(data) || Object.getPrototypeOf(data) !== Array.prototype || !isSized(data)) return false
    for (let at = 0; at < data.length; at += 1) if (!check(data[at])) return false
    return true
  }
}

function toSizeRule(check: Check['_zod']['def']): Rule<readonly unknown[]> | null {
  const known = check as z.core.$ZodChecks['_zod']['def'] // as above
  if (known.check === 'max_length') return ({ length }) => length <= known.maximum
  if (known.check === 'min_length') return ({ length }) => length >= known.minimum
  return null
}

type Field = { readonly name: string; readonly isOptional: boolean; readonly check: QuickCheck }

/** One with rules of its own is Zod's. What becomes of a field that it does not know is Zod's, too. */
function compileObject(def: z.core.$ZodObjectDef, within: Within): QuickCheck | null {
  const { shape } = def
  const isOwn = Object.hasOwn(shape, '__proto__') || Object.getOwnPropertySymbols(shape).length > 0
  if (!isPlain(def) || isOwn) return null
  const fields = Object.entries(shape).map(([name, schema]) => toField(name, schema, within))
  return (data) => {
    // An object of a class may have fields that its JSON has not, and the other way round.
    if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return false
    const given = data as Readonly<Record<string, unknown>> // any object can be looked at by name
    let known = 0
    for (let at = 0; at < fields.length; at += 1) {
      const { name, isOptional, check } = fields[at] as Field // within its bounds
      const value = given[name]
      if (value === undefined) {
        // What stands for what is not there, and what is there without a value, is Zod's to say.
        if (!isOptional || name in given) return false
      } else {
        if (!check(value)) return false
        known += 1
      }
    }
    return Object.keys(given).length === known
  }
}

function toField(name: string, schema: z.core.$ZodType, within: Within): Field {
  const { def } = (schema as z.core.$ZodTypes)._zod // as above
  // `exactOptional` is one too, and means the same of what is there.
  const isOptional = def.type === 'optional' && isPlain(def) && schema._zod.optin === 'optional'
  return { name, isOptional, check: compileQuickCheck(isOptional ? def.innerType : schema, within) }
}
