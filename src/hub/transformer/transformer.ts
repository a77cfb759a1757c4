import type { AnyEvent, InputTransformer } from '../../contracts/index.ts'
import { TRANSFORMER_LIMITS } from '../../kernel/index.ts'
import { type JsonPath, parseJsonPath, readJsonPath } from './json-path.ts'
import { renderTemplate } from './render.ts'
import { parseTemplate } from './template.ts'

/** What the predefined variables say besides the event. */
export type TransformContext = { readonly subscription: string; readonly appendedAtMs: number }

export type TransformerFault = {
  readonly ok: false
  /** Stable: `transformer-…` of the paths, `template-…` of the template. */
  readonly code: string
  readonly detail: string
}
/** `transformed-too-large`: the event made the input larger than `TRANSFORMER_LIMITS.outputCharactersMax`. */
export type Transformed =
  | { readonly ok: true; readonly input: unknown }
  | { readonly ok: false; readonly code: 'transformed-too-large'; readonly detail: string }
export type Transformer = {
  readonly ok: true
  /** Pure, and never throws. The input is a string, or what JSON can hold; it shares the event's values. */
  transform(event: AnyEvent, context: TransformContext): Transformed
}

/** EventBridge's, under its names; an ARN of the rule there is none. */
const PREDEFINED: Readonly<Record<string, (event: AnyEvent, context: TransformContext) => unknown>> = {
  'aws.events.rule-name': (_, { subscription }) => subscription,
  'aws.events.event.ingestion-time': (_, { appendedAtMs }) => new Date(appendedAtMs).toISOString(),
  'aws.events.event': ({ data: _, ...rest }) => rest,
  'aws.events.event.json': (event) => event,
}

/** An EventBridge input transformer (`docs/input-transformers.md`), taken apart once. Never throws. */
export function parseTransformer(definition: InputTransformer): Transformer | TransformerFault {
  const paths = parsePaths(definition.paths)
  if (!paths.ok) return paths
  const { length } = definition.template
  if (length > TRANSFORMER_LIMITS.templateCharactersMax)
    return fault(
      'template-too-long',
      `expected at most ${TRANSFORMER_LIMITS.templateCharactersMax} characters, got ${length}`,
    )
  const isVariable = (name: string): boolean => paths.byName.has(name) || Object.hasOwn(PREDEFINED, name)
  const template = parseTemplate(definition.template, isVariable)
  if (!template.ok) return template
  return {
    ok: true,
    transform(event, context) {
      const rendered = renderTemplate(template.node, (variable) => {
        const path = paths.byName.get(variable)
        return path === undefined ? PREDEFINED[variable]?.(event, context) : readJsonPath(path, event)
      })
      return rendered.ok ? rendered : { ...rendered, code: 'transformed-too-large' }
    },
  }
}

function parsePaths(
  paths: InputTransformer['paths'],
): { readonly ok: true; readonly byName: ReadonlyMap<string, JsonPath> } | TransformerFault {
  const entries = Object.entries(paths)
  if (entries.length > TRANSFORMER_LIMITS.pathsMax)
    return fault('transformer-too-many-paths', `expected at most ${TRANSFORMER_LIMITS.pathsMax}, got ${entries.length}`)
  const byName = new Map<string, JsonPath>()
  for (const [name, text] of entries) {
    const path = text.length > TRANSFORMER_LIMITS.pathCharactersMax ? null : parseJsonPath(text)
    if (path === null)
      return fault(
        'transformer-path-invalid',
        `paths.${name}: expected a JSONPath such as $.data.items[0].name of at most ${TRANSFORMER_LIMITS.pathCharactersMax} characters, got ${JSON.stringify(text)}`,
      )
    byName.set(name, path)
  }
  return { ok: true, byName }
}

const fault = (code: string, detail: string): TransformerFault => ({ ok: false, code, detail })
