import { z } from 'zod'
import { describeError } from '../../kernel/index.ts'

const WHAT_TO_DO =
  'what is published is what its readers check again, so say what JSON holds (a date as z.iso.datetime(), a number as z.number()) and turn it into something else where it is read'
const AsyncFunction = (async () => {}).constructor

/**
 * What is wrong with a schema of data that goes onto the log as JSON and is checked by the same schema when it comes back:
 * it must describe JSON, and what comes out of it must be what goes in. Defaults and fields that are left out are nothing
 * wrong. Rules that change values without saying so show when something is published (`findRepublishErrors`).
 */
export function findSchemaFaults(schema: z.ZodType): readonly string[] {
  const input = describe(schema, 'input')
  const output = describe(schema, 'output')
  const fault = input.fault ?? output.fault
  if (fault !== null) return [`data: expected a schema of what JSON can hold, ${fault}; ${WHAT_TO_DO}`]
  if (input.text !== output.text) return [`data: expected a schema whose output is its input; ${WHAT_TO_DO}`]
  return findWaits(schema).map((what) => `data: ${what}`)
}

/** Rules of a schema that answer with a promise: nobody waits for them. For schemas that may transform, too. */
export function findWaits(schema: z.ZodType): readonly string[] {
  let waits = false
  const look = (io: 'input' | 'output'): void => {
    z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema }) => {
        waits ||= hasAsync(zodSchema)
      },
    })
  }
  try {
    look('input')
    look('output')
  } catch {
    // What has no JSON Schema at all is told where one is needed.
  }
  return waits ? ['expected rules that answer at once, got an async function'] : []
}

function hasAsync(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod
  const functions = [
    ...(def.checks ?? []).map((check) => ('fn' in check._zod.def ? check._zod.def.fn : null)),
    ...('transform' in def ? [def.transform] : []),
  ]
  return functions.some((one) => one instanceof AsyncFunction)
}

type Described = { readonly text: string; readonly fault: string | null }

/** Its JSON Schema without what may differ between what goes in and what comes out. */
function describe(schema: z.ZodType, io: 'input' | 'output'): Described {
  try {
    const json = z.toJSONSchema(schema, {
      io,
      override({ jsonSchema }) {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
        delete jsonSchema.required
        delete jsonSchema.default
      },
    })
    return { text: JSON.stringify(json), fault: null }
  } catch (error) {
    return { text: '', fault: describeError(error) }
  }
}
