import { isDeepStrictEqual } from 'node:util'
import type { Registry } from '../../contracts/index.ts'
import { describeError } from '../../kernel/index.ts'
import { compareSchemas } from './compare-schemas.ts'
import { exportSchema } from './export-schema.ts'
import type { Incompatibility } from './incompatibility.ts'
import { isSchema } from './schema-alternatives.ts'

/**
 * `new`: no file yet. `removed`: a file without a type; an event is never removed, archives hold it. `unreadable`: the
 * file, or the type's own schema, is no JSON Schema that can be compared.
 */
export type SchemaVerdict = 'same' | 'compatible' | 'new' | 'incompatible' | 'removed' | 'unreadable'

export type SchemaReview = {
  readonly type: string
  readonly verdict: SchemaVerdict
  /** For people; one at least unless the verdict is `same`, `compatible` or `new`. */
  readonly reasons: readonly string[]
  readonly incompatibilities: readonly Incompatibility[]
}

/** Types as they are now against the schemas as they were committed, by type. Pure. */
export function reviewSchemas(options: {
  registry: Registry
  types: readonly string[]
  committed: ReadonlyMap<string, unknown>
}): readonly SchemaReview[] {
  const { registry, types, committed } = options
  const gone = [...committed.keys()].filter((type) => !types.includes(type))
  return [
    ...types.map((type) => reviewType(type, registry, committed.get(type))),
    ...gone.map((type) =>
      toReview(type, 'removed', ['it has a file but no definition; archives hold its events, so define it again']),
    ),
  ]
}

function reviewType(type: string, registry: Registry, committed: unknown): SchemaReview {
  try {
    const now = exportSchema(registry, type)
    if (committed === undefined) return toReview(type, 'new', [])
    if (isDeepStrictEqual(committed, now)) return toReview(type, 'same', [])
    if (!isSchema(committed)) return toReview(type, 'unreadable', ['its file: expected a JSON Schema'])
    const found = compareSchemas(committed, now)
    if (found.length === 0) return toReview(type, 'compatible', [])
    const reasons = found.map(({ path, code, detail }) => `${path} ${code}: ${detail}`)
    return { type, verdict: 'incompatible', reasons, incompatibilities: found }
  } catch (error) {
    return toReview(type, 'unreadable', [describeError(error)])
  }
}

function toReview(type: string, verdict: SchemaVerdict, reasons: readonly string[]): SchemaReview {
  return { type, verdict, reasons, incompatibilities: [] }
}
