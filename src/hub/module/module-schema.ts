import { z } from 'zod'
import {
  type DeliveryPolicy,
  deliveryPolicySchema,
  hubNameSchema,
  type SubscriptionStart,
  subscriptionStartSchema,
  topicNameSchema,
} from '../../contracts/index.ts'

/** What a module may export. It is a user's own code, perhaps JavaScript, so its shape is looked at like any input. */
const functionSchema = z.custom<(...parameters: never[]) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
)
const zodSchema = z.custom<z.ZodType>(
  (value) => typeof value === 'object' && value !== null && 'safeParse' in value,
  'expected a Zod schema',
)
const textOrFunctionSchema = z.union(
  [z.string().min(1, 'expected a text or a function'), functionSchema],
  'expected a text or a function',
)

const pipeSchema = z.strictObject({
  name: hubNameSchema,
  from: z.strictObject({ topic: topicNameSchema }),
  filter: functionSchema.optional(),
  decode: z.union(
    [functionSchema, z.strictObject({ kind: z.literal('opaque') })],
    'expected decodeJson, decodeText, opaque or a function of your own',
  ),
  schema: zodSchema,
  transform: functionSchema,
  enrich: functionSchema.optional(),
  to: z
    .strictObject({
      type: textOrFunctionSchema,
      subject: functionSchema.optional(),
      data: functionSchema.optional(),
      payload: z.strictObject({ contentType: textOrFunctionSchema }).optional(),
    })
    .refine(({ data, payload }) => !(data && payload), 'expected either data or payload, got both'),
  concurrency: z.int().min(1).max(256).optional(),
  batchMax: z.int().min(1).max(10_000).optional(),
})

const subscriptionSchema = z.strictObject({
  name: hubNameSchema,
  pattern: z.record(z.string(), z.unknown()),
  handler: functionSchema,
  policy: deliveryPolicySchema.prefault({}),
  start: subscriptionStartSchema.default('now'),
})

// What else a view must be is `defineView`'s to say.
const viewSchema = z.looseObject({ name: hubNameSchema })

// What an event's definition must be is the registry's to say; that it is an object at all is ours.
const eventsSchema = z.record(z.string(), z.looseObject({}))

export const moduleSchema: z.ZodType<CheckedModule> = z.strictObject({
  events: eventsSchema.default({}),
  pipes: z.array(pipeSchema).default([]),
  subscriptions: z.array(subscriptionSchema).default([]),
  views: z.array(viewSchema).default([]),
})

/** What is read from the outcome; functions are taken from the module itself, where they have their types. */
export type CheckedModule = {
  readonly subscriptions: readonly {
    readonly name: string
    readonly policy: DeliveryPolicy
    readonly start: SubscriptionStart
  }[]
}
