import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Registry } from '../../contracts/index.ts'
import {
  createRegistry,
  exportSchema,
  platformDefinitions,
  platformRegistry,
  printSchema,
  reviewSchemas,
  type SchemaReview,
  schemaFileName,
} from '../../hub/index.ts'
import { loadDefinitions } from '../schemas/load-definitions.ts'
import { readSchemaFiles, writeSchemaFile } from '../schemas/schema-files.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

/** The platform's own, committed beside the events. */
const PLATFORM_DIRECTORY = fileURLToPath(new URL('../../contracts/schemas', import.meta.url))

const OPTIONS = {
  module: { type: 'string' },
  baseline: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const

/** Event types against the schemas that were committed, without a platform: exit code 0 if none was broken. */
export const schemas: Verb = async ({ args, terminal }) => {
  const [action, ...rest] = args
  if (action !== 'check') throw new UsageError(`schemas: expected "check", got ${JSON.stringify(action) ?? 'nothing'}`)
  const { values } = parseCommand(rest, OPTIONS)
  const { registry, types, directory } = await toSubject(values.module)
  const baseline = values.baseline ?? directory
  const reviews = reviewSchemas({ registry, types, committed: await readSchemaFiles(baseline) })
  for (const review of reviews) for (const line of toLines(review)) terminal.print(line)
  const broken = reviews.filter(isBroken)
  if (values.write) {
    const changed = reviews.filter(({ verdict }) => verdict === 'new' || verdict === 'compatible')
    for (const { type } of changed)
      await writeSchemaFile(baseline, schemaFileName(type), printSchema(exportSchema(registry, type)))
    terminal.print(`${changed.length} written to ${baseline}`)
  }
  if (broken.length > 0)
    terminal.complain(
      `${broken.length} incompatible: put its schema back, and make a new version (.v2) with an upcaster beside it; see docs/schemas.md`,
    )
  return broken.length === 0 ? 0 : 1
}

type Subject = { readonly registry: Registry; readonly types: readonly string[]; readonly directory: string }

/** A user's events are checked together with the platform's, since both will be in one registry; compared by themselves. */
async function toSubject(module: string | undefined): Promise<Subject> {
  if (module === undefined)
    return { registry: platformRegistry, types: platformRegistry.types(), directory: PLATFORM_DIRECTORY }
  const definitions = await loadDefinitions(module)
  const registry = createRegistry(platformDefinitions, definitions)
  return { registry, types: Object.keys(definitions), directory: join(dirname(module), 'schemas') }
}

function isBroken({ verdict }: SchemaReview): boolean {
  return verdict === 'incompatible' || verdict === 'removed' || verdict === 'unreadable'
}

function toLines({ type, verdict, reasons }: SchemaReview): readonly string[] {
  return reasons.length === 0 ? [`${type}: ${verdict}`] : reasons.map((reason) => `${type}: ${verdict}: ${reason}`)
}
