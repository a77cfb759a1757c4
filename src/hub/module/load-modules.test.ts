import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'
import { loadHubModules } from './load-modules.ts'

const directory = mkdtempSync(join(tmpdir(), 'tentpole-modules-'))
afterAll(() => rmSync(directory, { recursive: true }))

const HEAD = `
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { decodeJson, definePipe, opaque } from ${JSON.stringify(join(import.meta.dir, '..', 'pipe', 'index.ts'))}
import { defineHub } from ${JSON.stringify(join(import.meta.dir, 'index.ts'))}
const transform = (value) => value
const schema = z.object({ n: z.int() })
const pipe = (changes) => definePipe({ name: 'prices', from: { topic: 'raw' }, decode: decodeJson, schema, transform, to: { type: 'com.example.price.v1' }, ...changes })
const price = { topic: 'prices', data: schema }
const image = { topic: 'images', data: null }
const handler = async () => {}
`
let files = 0
/** The path of a module of this text. */
function moduleOf(text: string): string {
  const path = join(directory, `module-${files++}.ts`)
  writeFileSync(path, HEAD + text)
  return path
}
async function faultsOf(...texts: readonly string[]): Promise<readonly string[]> {
  try {
    await loadHubModules(texts.map(moduleOf))
    return []
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'hub-invalid') throw error
    const faults = error.detail['faults'] as string[]
    for (const fault of faults) expect(error.message).toContain(fault)
    return faults
  }
}

test('without modules there are the platform’s own events', async () => {
  const { registry, pipes, subscriptions, views } = await loadHubModules([])
  expect(registry.get('tentpole.title.published.v1')?.topic).toBe('titles')
  expect([pipes, subscriptions, views]).toEqual([[], [], []])
})

test('modules are put together: one may publish what another defines; defaults are filled in', async () => {
  const events = moduleOf(
    `export default defineHub({ events: { 'com.example.price.v1': price, 'com.example.image.v1': image } })`,
  )
  const others = moduleOf(`export default defineHub({
    pipes: [pipe(), pipe({ name: 'images', decode: opaque, schema: z.object({ key: z.string() }), to: { type: 'com.example.image.v1', payload: { contentType: 'image/png' } } })],
    subscriptions: [{ name: 'totals', pattern: { type: [{ prefix: 'com.example.' }] }, handler, policy: { attemptsMax: 3 } }],
    views: [{ name: 'cheapest', version: 1, topics: ['prices'], create: () => ({}), apply: () => {} }],
  })`)
  const hub = await loadHubModules([events, others])
  expect(hub.registry.types()).toContain('com.example.price.v1')
  expect(hub.pipes.map(({ name }) => name)).toEqual(['prices', 'images'])
  expect(hub.views.map(({ name }) => name)).toEqual(['cheapest'])
  const [totals] = hub.subscriptions
  expect(totals).toMatchObject({ name: 'totals', start: 'now', policy: { attemptsMax: 3, concurrency: 16 } })
  expect(typeof totals?.handler).toBe('function')
})

const EVENTS = `events: { 'com.example.price.v1': price, 'com.example.image.v1': image }`

/** What a module says, and a part of each fault that is found in it. */
const REFUSED: readonly (readonly [string, readonly string[]])[] = [
  ['export const hub = 1', ['expected "export default defineHub']],
  ['throw new Error("boom")\nexport default {}', ['cannot be loaded: boom']],
  ['export default 7', ['(module): ']],
  ['export default { pipelines: [], subscriptions: [7] }', ['(module): ', 'subscriptions.0: ']],
  [
    `export default { pipes: [{ name: 'A B', from: { topic: 'x y' }, decode: 'json', schema: {}, transform: 1, to: { type: '' }, concurrency: 0 }] }`,
    [
      'pipes.0.name: expected a name',
      'pipes.0.from.topic: expected a topic',
      'pipes.0.decode: expected decodeJson',
      'pipes.0.schema: expected a Zod schema',
      'pipes.0.transform: expected a function',
      'pipes.0.to.type: expected a text or a function',
      'pipes.0.concurrency: ',
    ],
  ],
  [
    `export default { subscriptions: [{ name: 'a', pattern: {}, handler: 'x', policy: { tries: 1 }, start: 'never' }] }`,
    ['subscriptions.0.handler: expected a function', 'subscriptions.0.policy: ', 'subscriptions.0.start: '],
  ],
  [`export default { events: { 'com.example.price.v1': 7 } }`, ['events.com.example.price.v1: ']],
  [`export default { events: { 'price': price } }`, ['events: price: expected a type such as']],
  [
    `export default { events: { 'tentpole.title.published.v1': price } }`,
    ['events: tentpole.title.published.v1: expected one definition, got two'],
  ],
  [
    `export default { pipes: [pipe()] }`,
    ['pipe prices: to.type: expected the type of a defined event, got "com.example.price.v1"'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe(), pipe()], subscriptions: [{ name: 'a', pattern: { type: ['x'] }, handler }, { name: 'a', pattern: { type: 'x' }, handler }] }`,
    [
      'pipe prices: expected one of this name, got 2',
      'subscription a: expected one of this name, got 2',
      'subscription a: pattern: pattern-field: ',
    ],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ to: { type: 'com.example.image.v1' } })] }`,
    ['pipe prices: to.payload: expected one'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ to: { type: 'com.example.price.v1', payload: { contentType: 'a/b' } } })] }`,
    ['pipe prices: to.payload: expected none'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ to: { type: 'com.example.price.v1', data: transform, payload: { contentType: 'a/b' } } })] }`,
    ['pipes.0.to: expected either data or payload'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ from: { topic: 'prices' } })] }`,
    ['pipe prices: from.topic: prices is fed by what the pipe itself puts on prices'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ from: { topic: 'images' } }), pipe({ name: 'back', from: { topic: 'prices' }, to: { type: 'com.example.image.v1', payload: { contentType: 'a/b' } } })] }`,
    ['pipe prices: from.topic: images is fed', 'pipe back: from.topic: prices is fed'],
  ],
  [
    `export default { events: { 'com.example.price.v1': { topic: 'prices', data: z.object({ cents: z.string().transform(Number) }) } } }`,
    ['events: com.example.price.v1: data: expected a schema of what JSON can hold'],
  ],
  [
    `export default { ${EVENTS}, pipes: [pipe({ schema: z.object({ cents: z.int().refine(async () => true) }) })] }`,
    ['pipe prices: schema: expected rules that answer at once'],
  ],
]

for (const [text, expected] of REFUSED)
  test(`refused: ${text.slice(0, 150)}`, async () => {
    const faults = await faultsOf(text)
    expect(faults.length).toBe(expected.length)
    for (const part of expected) expect(faults.join('\n')).toContain(part)
  })

test('the faults of all modules are told at once; what they say together only once each is good', async () => {
  const faults = await faultsOf(
    'export default { subscriptions: [7] }',
    'export default { pipes: [pipe()] }',
    'nonsense(',
  )
  expect(faults.length).toBe(2)
})
