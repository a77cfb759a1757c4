import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const PROJECT = resolve(import.meta.dir, '..', '..')
let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'tentpole-launcher-'))
})
afterEach(() => rmSync(project, { recursive: true, force: true }))

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), content)
}

/** Runs an expression over the launcher's functions in plain Node: that is what must be able to run them. */
async function inNode(expression: string): Promise<unknown> {
  const module = JSON.stringify(join(PROJECT, 'bin', 'launch.mjs'))
  const script = `const launch = await import(${module}); console.log(JSON.stringify(${expression}))`
  const child = Bun.spawn(['node', '--input-type=module', '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

describe('the pinned Bun', () => {
  const binary = new Uint8Array(1_000_001)
  const find = (platform: string, arch: string) =>
    inNode(`launch.findBun(${JSON.stringify(project)}, ${JSON.stringify(platform)}, ${JSON.stringify(arch)})`)

  test('is the one npm unpacked, where install scripts may run', async () => {
    write('node_modules/bun/bin/bun.exe', binary)
    write('node_modules/@oven/bun-linux-x64/bin/bun', binary)
    expect(await find('linux', 'x64')).toBe(join(project, 'node_modules/bun/bin/bun.exe'))
  })

  test("is inside this machine's package where a placeholder was left", async () => {
    write('node_modules/bun/bin/bun.exe', 'postinstall script was not run')
    write('node_modules/@oven/bun-darwin-aarch64/bin/bun', binary)
    write('node_modules/@oven/bun-windows-x64/bin/bun.exe', binary)
    expect(await find('darwin', 'arm64')).toBe(join(project, 'node_modules/@oven/bun-darwin-aarch64/bin/bun'))
    expect(await find('win32', 'x64')).toBe(join(project, 'node_modules/@oven/bun-windows-x64/bin/bun.exe'))
    expect(await find('linux', 'x64')).toBeNull()
  })
})

describe('whether an installation is needed', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/tool': { version: '2.0.0', dev: true },
    'node_modules/native-elsewhere': { version: '3.0.0', optional: true },
  }
  const isInstalled = (dev: boolean) =>
    inNode(`launch.isInstalled({ dev: ${dev}, project: ${JSON.stringify(project)} })`)
  const install = (packages: Record<string, { version?: string }>): void => {
    write('package-lock.json', JSON.stringify({ packages: wanted }))
    write('node_modules/bun/bin/bun.exe', new Uint8Array(1_000_001))
    write('node_modules/.package-lock.json', JSON.stringify({ packages }))
    for (const path of Object.keys(packages)) write(`${path}/package.json`, '{}')
  }

  test('not when every package is there in its version; those of other machines need not be', async () => {
    install({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/tool': { version: '2.0.0' } })
    expect(await isInstalled(true)).toBe(true)
  })

  test('what only tests need is needed by tests only', async () => {
    install({ 'node_modules/a': { version: '1.0.0' } })
    expect([await isInstalled(false), await isInstalled(true)]).toEqual([true, false])
  })

  test('when a version differs, or a package was removed by hand', async () => {
    install({ 'node_modules/a': { version: '1.0.1' } })
    expect(await isInstalled(false)).toBe(false)
    install({ 'node_modules/a': { version: '1.0.0' } })
    rmSync(join(project, 'node_modules/a'), { recursive: true })
    expect(await isInstalled(false)).toBe(false)
  })
})
