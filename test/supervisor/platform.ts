import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseConfig, type TentpoleConfig } from '../../src/contracts/index.ts'
import { createSupervisor, type Supervisor } from '../../src/roles/index.ts'

export const ROLE_ENTRY: string = fileURLToPath(new URL('./role-entry.ts', import.meta.url))

export function makeHome(): { home: string; remove(): void } {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-supervisor-'))
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) }
}

/** A platform of roles that do nothing. */
export async function startPlatform(
  home: string,
  config: TentpoleConfig = {},
): Promise<{ supervisor: Supervisor; lines: string[] }> {
  const lines: string[] = []
  const supervisor = await createSupervisor({
    config: parseConfig({ home, ports: { watch: 0, console: 0 }, ...config }),
    version: '0.0.0',
    logFormat: 'text',
    write: (line) => lines.push(line),
    environment: process.env,
    entry: ROLE_ENTRY,
  })
  return { supervisor, lines }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits for a condition, and says which one it waited for in vain. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await Bun.sleep(10)
  }
}
