import { expect, test } from 'bun:test'
import { toStaffOpenApi } from './openapi.ts'

test('every reference leads somewhere, and every parameter of a path is described', () => {
  const document = toStaffOpenApi('1.0.0') as {
    paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>
    components: { schemas: Record<string, unknown> }
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference]) => reference ?? '',
  )
  expect(references.length).toBeGreaterThan(5)
  for (const reference of references) {
    const [, name] = /^#\/components\/schemas\/(.+)$/.exec(reference) ?? []
    expect([reference, Object.hasOwn(document.components.schemas, name ?? '')]).toEqual([reference, true])
  }
  for (const [path, operations] of Object.entries(document.paths))
    for (const { parameters = [] } of Object.values(operations))
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
        path.match(/\{\w+\}/g) ?? [],
      )
})
