import { z } from 'zod'
import { describeError } from '../../kernel/index.ts'

const WHAT_TO_DO =
  'what is published is what its readers check again, so say what JSON holds (a date as z.iso.datetime(), a number as z.number()) and turn it into something else where it is read'
const WAITS = 'expected rules that answer at once, got an async function'
const AsyncFunction = (async () => {}).constructor

/**
 * What is wrong with a schema of data that goes onto the log as JSON and is checked by the same schema when it comes back:
 * it must describe JSON, and what comes out of it must be what goes in. Defaults and fields that are left out are nothing
 * wrong. Rules that change values without saying so show when something is published (`findRepublishErrors`).
 */
export function findSchemaFaults(schema: z.ZodType): readonly string[] {
  const input = describe(schema, { io: 'input', unrepresentable: 'throw' })
  const output = describe(schema, { io: 'output', unrepresentable: 'throw' })
  const fault = input.fault ?? output.fault
  if (fault !== null) return [`data: expected a schema of what JSON can hold, ${fault}; ${WHAT_TO_DO}`]
  if (input.text !== output.text) return [`data: expected a schema whose output is its input; ${WHAT_TO_DO}`]
  return input.waits || output.waits ? [`data: ${WAITS}`] : []
}

/** Rules of a schema that answer with a promise: nobody waits for them. For schemas that may transform, too. */
export function findWaits(schema: z.ZodType): readonly string[] {
  const sides = (['input', 'output'] as const).map((io) => describe(schema, { io, unrepresentable: 'any' }))
  return sides.some(({ waits }) => waits) ? [WAITS] : []
}

type Described = { readonly text: string; readonly fault: string | null; readonly waits: boolean }

/** Its JSON Schema without what may differ between what goes in and what comes out. */
function describe(
  schema: z.ZodType,
  how: { readonly io: 'input' | 'output'; readonly unrepresentable: 'throw' | 'any' },
): Described {
  let waits = false
  try {
    const json = z.toJSONSchema(schema, {
      ...how,
      override({ zodSchema, jsonSchema }) {
        waits ||= hasAsync(zodSchema)
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
        delete jsonSchema.required
        delete jsonSchema.default
      },
    })
    return { text: JSON.stringify(json), fault: null, waits }
  } catch (error) {
    return { text: '', fault: describeError(error), waits }
  }
}

function hasAsync(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod
  const functions = [
    ...(def.checks ?? []).map((check) => ('fn' in check._zod.def ? check._zod.def.fn : null)),
    ...('transform' in def ? [def.transform] : []),
  ]
  return functions.some((one) => one instanceof AsyncFunction)
}
