import { TRANSFORMER_LIMITS } from '../../kernel/index.ts'
import type { Node, Part } from './template.ts'

export type Rendered = { readonly ok: true; readonly input: unknown } | { readonly ok: false; readonly detail: string }

/** What a variable has for one event: looked up and put into text once, however often the template names it. */
type Variable = { readonly value: unknown; readonly text: string; readonly jsonLength: number }

type Rendering = {
  readonly read: (variable: string) => unknown
  readonly variables: Map<string, Variable>
  /** Of the output as JSON, so far. */
  characters: number
}

/** A template with its variables' values; undefined is one that has none, and shows as an empty text. */
export function renderTemplate(node: Node, read: (variable: string) => unknown): Rendered {
  const rendering: Rendering = { read, variables: new Map(), characters: 0 }
  const input = render(node, rendering)
  if (rendering.characters <= TRANSFORMER_LIMITS.outputCharactersMax) return { ok: true, input }
  const detail = `expected at most ${TRANSFORMER_LIMITS.outputCharactersMax} characters of input; let the template name less`
  return { ok: false, detail }
}

function render(node: Node, rendering: Rendering): unknown {
  switch (node.kind) {
    case 'literal':
      return node.value
    case 'value': {
      const variable = lookUp(node.variable, rendering)
      charge(rendering, variable.jsonLength)
      return variable.value
    }
    case 'text':
      return node.parts.map((part) => renderPart(part, rendering)).join('')
    case 'array':
      return node.items.map((item) => render(item, rendering))
    case 'object':
      // fromEntries makes a field of any name, `__proto__` too.
      return Object.fromEntries(node.fields.map(([name, value]) => [name, render(value, rendering)]))
  }
}

function renderPart(part: Part, rendering: Rendering): string {
  if (typeof part === 'string') return part
  const { text, jsonLength } = lookUp(part.variable, rendering)
  charge(rendering, jsonLength)
  // Beyond the bound the result is thrown away: nothing more is put into it.
  return rendering.characters > TRANSFORMER_LIMITS.outputCharactersMax ? '' : text
}

function charge(rendering: Rendering, characters: number): void {
  rendering.characters += characters
}

function lookUp(name: string, rendering: Rendering): Variable {
  const known = rendering.variables.get(name)
  if (known !== undefined) return known
  const variable = toVariable(rendering.read(name))
  rendering.variables.set(name, variable)
  return variable
}

function toVariable(found: unknown): Variable {
  const value = found === undefined ? '' : found
  if (typeof value === 'string') return { value, text: value, jsonLength: value.length }
  const json = toJson(value)
  if (json === null) return { value: '', text: '', jsonLength: Number.POSITIVE_INFINITY }
  return { value, text: json, jsonLength: json.length }
}

/** Null for what is nested too deeply to be written, which counts as too large. */
function toJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null
  } catch {
    return null
  }
}
