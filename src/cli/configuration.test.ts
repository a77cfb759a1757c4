import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from './configuration.ts'

async function load(text: string, environment = {}): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-config-'))
  const file = join(directory, 'tentpole.config.ts')
  writeFileSync(file, text)
  try {
    return await loadConfig(file, environment).catch((error: Error) => error.message)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('the environment wins over the file, and the home is absolute', async () => {
  const text = `export default { home: 'somewhere', ports: { watch: 1, console: 2 }, media: { workers: 3 } }`
  expect(await load(text)).toMatchObject({ home: join(process.cwd(), 'somewhere'), ports: { watch: 1, console: 2 } })
  expect(await load(text, { TENTPOLE_HOME: '/x', TENTPOLE_PORT: '0' })).toMatchObject({
    home: '/x',
    ports: { watch: 0, console: 2 },
    media: { workers: 3 },
  })
})

test('all faults at once, with their paths', async () => {
  const text = 'export default { ports: { watch: 99999 }, cells: [{ name: "A B" }], colour: 1 }'
  const message = await load(text, { TENTPOLE_CONSOLE_PORT: 'eighty' })
  for (const path of ['ports.watch', 'cells.0.name', 'colour', 'TENTPOLE_CONSOLE_PORT']) expect(message).toContain(path)
})

test('a file that is none, does not load or exports nothing is refused by name', async () => {
  expect(await loadConfig('/nowhere/x.ts', {}).catch((error: Error) => error.message)).toContain('/nowhere/x.ts')
  expect(await load('export const x = 1')).toContain('export default')
  expect(await load('throw new Error("boom")')).toContain('boom')
})

test('modules of the hub are found beside the configuration, and must be there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-config-'))
  try {
    const file = join(directory, 'tentpole.config.ts')
    writeFileSync(join(directory, 'prices.ts'), '')
    writeFileSync(file, `export default { hub: { modules: ['./prices.ts', '${join(directory, 'prices.ts')}'] } }`)
    const path = join(directory, 'prices.ts')
    expect((await loadConfig(file, {})).hub.modules).toEqual([path, path])
    const other = join(directory, 'other.config.ts')
    writeFileSync(other, `export default { hub: { modules: ['prices.ts', 'orders.ts'] } }`)
    const message = await loadConfig(other, {}).catch((error: Error) => error.message)
    expect(message).toContain(`hub.modules.1: expected a file, there is none at ${join(directory, 'orders.ts')}`)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
