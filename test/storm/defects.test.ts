import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { applyPatch, DEFECTS, PATCHES, type Patch } from './defects.ts'

const PROJECT = resolve(import.meta.dir, '..', '..')
const patch: Patch = { file: 'x.ts', before: 'one', after: '$& two' }

test.each(DEFECTS)('%s fits the code there is', (defect) => {
  expect(existsSync(join(import.meta.dir, 'roles', `${defect}.ts`))).toBe(true)
  let applied = 0
  const patched = new Map<string, string>()
  for (const each of PATCHES[defect]) {
    const before = patched.get(each.file) ?? readFileSync(join(PROJECT, each.file), 'utf8')
    const after = applyPatch(before, each)
    expect(after).not.toBe(before)
    patched.set(each.file, after)
    applied += 1
  }
  expect(applied).toBeGreaterThan(0)
  for (const source of patched.values()) new Bun.Transpiler({ loader: 'ts' }).transformSync(source)
})

test('a patch is taken as it is', () => {
  expect(applyPatch('zero one', patch)).toBe('zero $& two')
})

test.each([
  ['gone', 'zero', 'found it 0 times'],
  ['there twice', 'one one', 'found it 2 times'],
])('a defect whose place is %s does not vanish without a word', (_, source, why) => {
  expect(() => applyPatch(source, patch)).toThrow(why)
})
