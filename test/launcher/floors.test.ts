import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const PROJECT = resolve(import.meta.dir, '..', '..')
const CRUISER = join(PROJECT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs')
const RULES = join(PROJECT, '.dependency-cruiser.cjs')
let house: string

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'tentpole-floors-'))
  symlinkSync(join(PROJECT, 'node_modules'), join(house, 'node_modules'))
  cpSync(join(PROJECT, 'package.json'), join(house, 'package.json'))
})
afterAll(() => rmSync(house, { recursive: true, force: true }))

/** The names of the rules that a tree of files breaks. */
async function violations(files: Readonly<Record<string, string>>): Promise<string[]> {
  rmSync(join(house, 'src'), { recursive: true, force: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, 'src', path)), { recursive: true })
    writeFileSync(join(house, 'src', path), text)
  }
  const child = Bun.spawn(['node', CRUISER, '--config', RULES, '--output-type', 'json', 'src'], {
    cwd: house,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const { summary } = (await new Response(child.stdout).json()) as {
    summary: { violations: { rule: { name: string } }[] }
  }
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort()
}

const cases: { name: string; files: Record<string, string>; expected: string[] }[] = [
  {
    name: 'what is allowed',
    files: {
      'kernel/index.ts': "export { a } from './a.ts'",
      'kernel/a.ts': "import { join } from 'node:path'\nexport const a: string = join('a')",
      'services/media/index.ts':
        "import { a } from '../../kernel/index.ts'\nimport { z } from 'zod'\nexport const m = [a, z]",
      'roles/worker.ts': "import { m } from '../services/media/index.ts'\nexport const w = m",
    },
    expected: [],
  },
  {
    name: 'a floor that looks up, by a type only',
    files: {
      'hub/index.ts': "import type { E } from '../edge/index.ts'\nexport type H = E",
      'edge/index.ts': 'export type E = 1',
    },
    expected: ['floors-hub'],
  },
  {
    name: 'a kernel that leans on a package',
    files: { 'kernel/index.ts': "import { z } from 'zod'\nexport const k = z" },
    expected: ['kernel-stands-alone'],
  },
  {
    name: 'two services that know one another, lazily',
    files: {
      'services/media/index.ts': "export const m = (): Promise<unknown> => import('../catalog/index.ts')",
      'services/catalog/index.ts': 'export const c = 1',
    },
    expected: ['services-meet-over-the-hub'],
  },
  {
    name: 'a room entered by the window',
    files: {
      'hub/inner.ts': 'export const h = 1',
      'gateway/index.ts': "export { h } from '../hub/inner.ts'",
      'services/media/inner.ts': 'export const m = 1',
      'engines/log/inner.ts': 'export const l = 1',
      'roles/worker.ts':
        "import { m } from '../services/media/inner.ts'\nimport { l } from '../engines/log/inner.ts'\nexport const w = [m, l]",
    },
    expected: ['one-door', 'one-door-engines', 'one-door-services'],
  },
  {
    name: 'a circle',
    files: {
      'hub/a.ts': "import { b } from './b.ts'\nexport const a = b",
      'hub/b.ts': "import { a } from './a.ts'\nexport const b = (): unknown => a",
    },
    expected: ['no-cycles'],
  },
  {
    name: 'an import that leads nowhere',
    files: { 'hub/index.ts': "import { x } from './x.ts'\nexport const h = x" },
    expected: ['resolvable'],
  },
]

for (const { name, files, expected } of cases)
  test(name, async () => expect(await violations(files)).toEqual(expected), 20_000)
