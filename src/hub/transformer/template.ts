import { describeError, TRANSFORMER_LIMITS } from '../../kernel/index.ts'

/** Text as it is, or the value of a variable in its place. */
export type Part = string | { readonly variable: string }

/** A template, taken apart once; `text` is what stands in quotes, `value` a variable that stands alone. */
export type Node =
  | { readonly kind: 'text'; readonly parts: readonly Part[] }
  | { readonly kind: 'value'; readonly variable: string }
  | { readonly kind: 'literal'; readonly value: number | boolean | null }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [string, Node])[] }

export type TemplateFault = { readonly code: string; readonly detail: string }
export type TemplateParsed = { readonly ok: true; readonly node: Node } | ({ readonly ok: false } & TemplateFault)

const VARIABLE = /<([A-Za-z0-9_.-]{1,256})>/y
/** What a template begins with whose author meant JSON, so that a slip is refused and not sent as text. */
const MEANT_AS_JSON = /^\s*[[{"]/

/**
 * A template as EventBridge reads it: JSON with `<variables>` alone or in quotes; lines that are a JSON string each; or
 * plain text. `\<` is a `<` that begins no variable. Never throws.
 */
export function parseTemplate(text: string, isVariable: (name: string) => boolean): TemplateParsed {
  const asJson = parseJson(text, isVariable)
  if (asJson.ok || asJson.code !== 'template-not-json') return asJson
  if (!MEANT_AS_JSON.test(text)) return parseText(text, isVariable)
  return parseLines(text, isVariable) ?? asJson
}

function parseJson(text: string, isVariable: (name: string) => boolean): TemplateParsed {
  const scanned = scan(text)
  const unknown = scanned.slots.flatMap(variablesOf).find((name) => !isVariable(name))
  let shape: unknown
  try {
    shape = JSON.parse(scanned.shape)
  } catch (error) {
    return fault(
      'template-not-json',
      `expected JSON with variables such as <name>, or a text in quotes: ${describeError(error)}`,
    )
  }
  if (unknown !== undefined) return unknownVariable(unknown)
  return toNode(shape, scanned.slots, 0)
}

/** A string of the template, or a variable that stands alone. */
type Slot = { readonly parts: readonly Part[] } | { readonly variable: string }

/** The template's shape: each string and each variable is replaced by a string that is its number among the slots. */
function scan(text: string): { readonly shape: string; readonly slots: readonly Slot[] } {
  const slots: Slot[] = []
  let shape = ''
  let at = 0
  const put = (slot: Slot): string => `"${slots.push(slot) - 1}"`
  while (at < text.length) {
    const variable = variableAt(text, at)
    const quoted = text[at] === '"' ? quotedAt(text, at) : null
    if (variable !== null) {
      shape += put({ variable })
      at += variable.length + 2
    } else if (quoted !== null) {
      shape += put({ parts: quoted.parts })
      at = quoted.end
    } else {
      shape += text[at]
      at += 1
    }
  }
  return { shape, slots }
}

/** Null when it is no JSON string: the quote then stays in the shape, which is no JSON either. */
function quotedAt(text: string, start: number): { readonly parts: readonly Part[]; readonly end: number } | null {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  if (at >= text.length) return null
  const parts = partsOf(text.slice(start + 1, at), toText)
  return parts === null ? null : { parts, end: at + 1 }
}

/** Text between variables, through `read`; null when that makes nothing of it. */
function partsOf(text: string, read: (raw: string) => string | null): readonly Part[] | null {
  const parts: Part[] = []
  let raw = ''
  const flush = (): boolean => {
    const piece = raw === '' ? '' : read(raw)
    if (piece !== null && piece !== '') parts.push(piece)
    raw = ''
    return piece !== null
  }
  for (let at = 0; at < text.length; ) {
    const variable = variableAt(text, at)
    const isEscaped = text[at] === '\\' && at + 1 < text.length
    if (variable !== null) {
      if (!flush()) return null
      parts.push({ variable })
      at += variable.length + 2
    } else {
      const next = text.slice(at, at + (isEscaped ? 2 : 1))
      raw += next === '\\<' || next === '\\>' ? next.slice(1) : next
      at += next.length
    }
  }
  return flush() ? parts : null
}

function toText(raw: string): string | null {
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return null
  }
}

function variableAt(text: string, at: number): string | null {
  if (text[at] !== '<') return null
  VARIABLE.lastIndex = at
  return VARIABLE.exec(text)?.[1] ?? null
}

function variablesOf(slot: Slot): readonly string[] {
  if ('variable' in slot) return [slot.variable]
  return slot.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable]))
}

function toNode(shape: unknown, slots: readonly Slot[], depth: number): TemplateParsed {
  if (depth > TRANSFORMER_LIMITS.templateDepthMax)
    return fault('template-too-deep', `expected at most ${TRANSFORMER_LIMITS.templateDepthMax} levels`)
  if (typeof shape === 'string') {
    const slot = slots[Number(shape)]
    if (slot === undefined) return fault('template-not-json', `expected a string of the template, got ${shape}`)
    return done('variable' in slot ? { kind: 'value', ...slot } : { kind: 'text', ...slot })
  }
  if (Array.isArray(shape)) return toArray(shape, slots, depth)
  if (typeof shape === 'object' && shape !== null) return toObject(shape, slots, depth)
  return done({ kind: 'literal', value: shape as number | boolean | null }) // all that JSON has besides
}

function toArray(shape: readonly unknown[], slots: readonly Slot[], depth: number): TemplateParsed {
  const items: Node[] = []
  for (const item of shape) {
    const parsed = toNode(item, slots, depth + 1)
    if (!parsed.ok) return parsed
    items.push(parsed.node)
  }
  return done({ kind: 'array', items })
}

function toObject(shape: object, slots: readonly Slot[], depth: number): TemplateParsed {
  const fields: (readonly [string, Node])[] = []
  for (const [key, value] of Object.entries(shape)) {
    const slot = slots[Number(key)]
    const variable = slot === undefined ? undefined : variablesOf(slot)[0]
    if (variable !== undefined)
      return fault('template-variable-as-key', `expected the name of a field, got <${variable}>: only values may vary`)
    const parsed = toNode(value, slots, depth + 1)
    if (!parsed.ok) return parsed
    fields.push([slot !== undefined && 'parts' in slot ? slot.parts.join('') : '', parsed.node])
  }
  return done({ kind: 'object', fields })
}

/** Several lines, each a JSON string: one text of as many lines. Null when they are not that. */
function parseLines(text: string, isVariable: (name: string) => boolean): TemplateParsed | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const parts: Part[] = []
  for (const [at, line] of lines.entries()) {
    const parsed = parseJson(line, isVariable)
    if (!parsed.ok) return parsed.code === 'template-not-json' ? null : parsed
    if (parsed.node.kind !== 'text') return null
    parts.push(...(at === 0 ? [] : ['\n']), ...parsed.node.parts)
  }
  return done({ kind: 'text', parts })
}

function parseText(text: string, isVariable: (name: string) => boolean): TemplateParsed {
  const parts = partsOf(text, (raw) => raw) ?? []
  const unknown = variablesOf({ parts }).find((name) => !isVariable(name))
  return unknown === undefined ? done({ kind: 'text', parts }) : unknownVariable(unknown)
}

const done = (node: Node): TemplateParsed => ({ ok: true, node })
const fault = (code: string, detail: string): TemplateParsed => ({ ok: false, code, detail })
const unknownVariable = (name: string): TemplateParsed =>
  fault(
    'template-variable-unknown',
    `<${name}> is neither in paths nor predefined; name it in paths, or write \\<${name}> for the text itself`,
  )
