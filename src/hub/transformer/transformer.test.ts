import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { AnyEvent } from '../../contracts/index.ts'
import { TRANSFORMER_LIMITS } from '../../kernel/index.ts'
import { parseTransformer } from './transformer.ts'

const CONTEXT = { subscription: 'shipping', appendedAtMs: Date.UTC(2026, 10, 21) }
const EVENT: AnyEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: 'orders',
  type: 'com.example.order.placed.v1',
  subject: 'order-7',
  time: '2026-11-21T00:00:00.000Z',
  data: {
    'instance-id': 'i-0123',
    state: 'RUN"NING',
    price: 12.5,
    paid: false,
    none: null,
    items: [{ name: 'a' }, { name: 'b' }, {}],
    'x y': 'spaced',
    nested: { deep: [[1], [2]] },
  },
}
const PATHS = {
  instance: '$.data.instance-id',
  state: '$.data.state',
  price: '$.data.price',
  paid: '$.data.paid',
  none: '$.data.none',
  first: '$.data.items[0].name',
  last: '$.data.items[9].name',
  names: '$.data.items[*].name',
  spaced: "$.data['x y']",
  nested: '$.data.nested',
  missing: '$.data.not.there',
  'with-dash': '$.type',
  whole: '$',
}

function transform(template: string, event: AnyEvent = EVENT): unknown {
  const parsed = parseTransformer({ paths: PATHS, template })
  if (!parsed.ok) return parsed.code
  const transformed = parsed.transform(event, CONTEXT)
  return transformed.ok ? transformed.input : transformed.code
}

const { data: _, ...WITHOUT_DATA } = EVENT

describe('a template', () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['is a string', '"instance <instance> is in <state>"', 'instance i-0123 is in RUN"NING'],
    ['is a string with quotes', '"\\"<instance>\\""', '"i-0123"'],
    ['is a text without quotes', '<instance> is in state "<state>"', 'i-0123 is in state "RUN"NING"'],
    ['is JSON', '{ "i": <instance>, "s": [9, <state>, true] }', { i: 'i-0123', s: [9, 'RUN"NING', true] }],
    ['mixes both', '{"s": "<state>", "t": "in \\"<state>\\""}', { s: 'RUN"NING', t: 'in "RUN"NING"' }],
    ['keeps types', '[<price>, <paid>, <none>, "<price>", "<paid>"]', [12.5, false, null, '12.5', 'false']],
    ['is one variable', '<nested>', { deep: [[1], [2]] }],
    ['puts objects into strings as JSON', '{"n": "see <nested>"}', { n: 'see {"deep":[[1],[2]]}' }],
    ['reads places, all of them, and names in brackets', '[<first>, <names>, <spaced>]', ['a', ['a', 'b'], 'spaced']],
    ['shows an empty text for what is not there', '{"m": <missing>, "l": "(<last>)"}', { m: '', l: '()' }],
    ['takes dashes in names', '<with-dash>', 'com.example.order.placed.v1'],
    ['knows the rule', '"<aws.events.rule-name> triggered"', 'shipping triggered'],
    ['knows when it came', '<aws.events.event.ingestion-time>', '2026-11-21T00:00:00.000Z'],
    ['knows the event', '{"a": <aws.events.event.json>, "b": <whole>}', { a: EVENT, b: EVENT }],
    ['knows the event without its data', '<aws.events.event>', WITHOUT_DATA],
    ['is several lines of strings', '"one <first>"\n"two \\"<first>\\""', 'one a\ntwo "a"'],
    ['escapes a bracket', '{"h": "\\<instance> <instance> 1 < 2"}', { h: '<instance> i-0123 1 < 2' }],
    ['escapes a bracket in text', '\\<instance> <instance>', '<instance> i-0123'],
    ['has a backslash before a variable', '"\\\\<instance>"', '\\i-0123'],
    ['has escapes', '"\\u00e9\\n<instance>\\t"', 'é\ni-0123\t'],
    ['has fields of any name', '{"__proto__": <price>, "0": 1}', JSON.parse('{"__proto__": 12.5, "0": 1}')],
    ['is a number', '42', 42],
    ['is refused with a variable as key', '{"<instance>": 1}', 'template-variable-as-key'],
    ['is refused with a variable nobody defined', '{"a": <nobody>}', 'template-variable-unknown'],
    ['is refused with a variable nobody defined, in text', 'for <nobody>', 'template-variable-unknown'],
    ['is refused where it is no JSON', '{"a": <instance>', 'template-not-json'],
    ['is refused with a bad escape', '{"a": "\\q<instance>", "b": "5"}', 'template-not-json'],
    ['is refused with a line break in a string', '{"a": "x\ny"}', 'template-not-json'],
    ['is refused with an ARN', '<aws.events.rule-arn>', 'template-variable-unknown'],
    ['is refused when too deep', `${'['.repeat(4_000)}${']'.repeat(4_000)}`, 'template-too-deep'],
    ['is refused when too long', 'x'.repeat(8_193), 'template-too-long'],
  ]
  test.each(cases)('%s', (_name, template, expected) => expect(transform(template)).toEqual(expected))
})

test.each(['data.x', '$..x', '$.data[?(@.x)]', '$.data[-1]', '$.data.', '$ .x', `$.${'x'.repeat(256)}`, ''])(
  'the path %s is refused',
  (path) => {
    expect(parseTransformer({ paths: { x: path }, template: '<x>' })).toMatchObject({
      code: 'transformer-path-invalid',
    })
  },
)

test('at most a hundred paths', () => {
  const paths = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, '$']))
  expect(parseTransformer({ paths, template: 'x' })).toMatchObject({ code: 'transformer-too-many-paths' })
})

test('what would become too large is told, and not built', () => {
  const event = { ...EVENT, data: { state: 'x'.repeat(TRANSFORMER_LIMITS.outputCharactersMax / 4) } }
  expect(transform(`"${'<state>'.repeat(4)}"`, event)).toHaveLength(TRANSFORMER_LIMITS.outputCharactersMax)
  expect(transform(`"${'<state>'.repeat(1_000)}"`, event)).toBe('transformed-too-large')
  expect(transform(`[${'<whole>,'.repeat(900)}1]`, event)).toBe('transformed-too-large')
})

const names = fc.constantFrom('instance', 'state', 'nested', 'missing', 'whole', 'names', 'aws.events.event.json')
const piece = fc.oneof(
  names.map((name) => `<${name}>`),
  fc.constantFrom('"', '\\', '\\"', '\\<', '<', '>', '{', '}', '[', ']', ',', ':', '1', 'null', '\n', ' ', '\u0000'),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
)
/** JSON whose strings, and some of whose values, are variables. */
const jsonTemplate = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    names.map((name) => `<${name}>`),
    fc.array(piece, { maxLength: 4 }).map((parts) =>
      // As a JSON string, but for the variables, which JSON.stringify leaves alone.
      JSON.stringify(parts.join('')),
    ),
    fc.array(tie('node'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(fc.string(), tie('node')), { maxLength: 3 })
      .map((fields) => `{${fields.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join()}}`),
  ),
})).node

test('no template and no event makes it throw', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.jsonValue(), (pieces, data) => {
      transform(pieces.join(''), { ...EVENT, data })
    }),
    { numRuns: 400 },
  )
})

test('what a JSON template makes is always JSON', () => {
  fc.assert(
    fc.property(jsonTemplate, fc.jsonValue(), (template, data) => {
      const parsed = parseTransformer({ paths: PATHS, template })
      if (!parsed.ok) {
        expect(['template-variable-unknown', 'template-variable-as-key']).toContain(parsed.code)
        return
      }
      const transformed = parsed.transform({ ...EVENT, data }, CONTEXT)
      if (!transformed.ok) throw new Error(transformed.detail)
      const json = JSON.stringify(transformed.input)
      expect(JSON.stringify(JSON.parse(json))).toBe(json)
    }),
    { numRuns: 300 },
  )
})

test('an event nested beyond all measure is told, and does not throw', () => {
  let data: unknown = 1
  for (let depth = 0; depth < 50_000; depth += 1) data = [data]
  expect(transform('"<whole>"', { ...EVENT, data })).toBe('transformed-too-large')
})
