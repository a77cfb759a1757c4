import { expect, test } from 'bun:test'
import { z } from 'zod'
import { decodeJson, opaque } from './decode.ts'
import { definePipe } from './define-pipe.ts'

const schema = z.object({ sku: z.string(), cents: z.int() })
const base = { name: 'prices', from: { topic: 'raw-prices' }, decode: decodeJson, schema }

test('types follow from the schema to the transform, from there to enrich and to', () => {
  const pipe = definePipe({
    ...base,
    transform: ({ sku, cents }) => (cents > 0 ? [{ sku, euros: cents / 100 }] : null),
    enrich: async (out, { signal, record }) => ({ ...out, sku: signal.aborted ? record.key : out.sku.trim() }),
    to: { type: 'com.example.price.v1', subject: ({ sku }) => sku, data: ({ euros }) => ({ euros: euros.toFixed(2) }) },
  })
  expect(pipe.name).toBe('prices')
})

test('what does not fit is refused by the compiler', () => {
  const pipes = [
    // @ts-expect-error the schema has no field of this name
    definePipe({ ...base, transform: ({ price }) => ({ price }), to: { type: 'com.example.price.v1' } }),
    definePipe({
      ...base,
      transform: ({ sku }) => ({ sku }),
      // @ts-expect-error the transform made no such field
      to: { type: 'com.example.price.v1', subject: ({ name }) => name },
    }),
    definePipe({
      ...base,
      transform: ({ sku }) => ({ sku }),
      // @ts-expect-error enrich returns what it was given the like of
      enrich: async () => ({ cents: 1 }),
      to: { type: 'com.example.price.v1' },
    }),
    // @ts-expect-error a decoder, or opaque
    definePipe({ ...base, decode: 'json', transform: (input) => input, to: { type: 'com.example.price.v1' } }),
    definePipe({
      ...base,
      decode: opaque,
      schema: z.object({ sizeBytes: z.int() }),
      transform: (input) => input,
      to: {
        type: 'com.example.image.v1',
        payload: { contentType: ({ sizeBytes }) => `image/x-${sizeBytes.toFixed()}` },
      },
    }),
  ]
  expect(pipes.length).toBe(5)
})
