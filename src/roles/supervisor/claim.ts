import { Database } from 'bun:sqlite'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Fault } from '../../kernel/index.ts'
import type { Layout } from '../layout.ts'
import { killGroup, ROLE_ARGUMENT } from './child.ts'
import { readRuntime } from './runtime.ts'

const POLL_MS = 50

/** A home held by this process; `release` gives it up. */
export type Claim = { release(): void }

/**
 * Makes a home this process's own, for as long as it lives: a lock of the operating system, so that a killed supervisor
 * leaves nothing to clear up. Fault `home-in-use` says by whom. Then waits for what roles an earlier supervisor left
 * behind, and ends those that do not go within `drainMs`: two stores on one log would ruin it.
 */
export async function claimHome(layout: Layout, options: { drainMs: number }): Promise<Claim> {
  makePrivateDirectory(layout.home)
  makePrivateDirectory(layout.socketDirectory)
  const lock = new Database(layout.lockFile, { create: true })
  chmodSync(layout.lockFile, 0o600)
  try {
    lock.run('PRAGMA journal_mode = MEMORY')
    lock.run('PRAGMA busy_timeout = 0')
    lock.run('BEGIN EXCLUSIVE')
  } catch {
    lock.close()
    const runtime = await readRuntime(layout.runtimeFile)
    const who = runtime ? `process ${runtime.pid}, ${runtime.urls.watch}` : 'it is still starting or stopping'
    const next = runtime ? `stop that one (kill ${runtime.pid}), or set` : 'wait for it, or set'
    throw new Fault(
      'home-in-use',
      `a platform is already running on ${layout.home} (${who}); ${next} TENTPOLE_HOME to another directory`,
    )
  }
  await clearLeftRoles(layout, options.drainMs)
  return { release: () => lock.close() }
}

async function clearLeftRoles(layout: Layout, drainMs: number): Promise<void> {
  const pids = await readPids(layout.rolesFile)
  const deadline = performance.now() + drainMs
  for (const pid of pids) {
    while ((await isRoleOf(pid, layout.home)) && performance.now() < deadline) await Bun.sleep(POLL_MS)
    if (await isRoleOf(pid, layout.home)) killGroup(pid)
    while (await isRoleOf(pid, layout.home)) await Bun.sleep(POLL_MS)
  }
}

/** Whether this very process is one of the home's roles: process ids are used again. */
async function isRoleOf(pid: number, home: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform === 'linux') {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    return environment.split('\0').includes(`TENTPOLE_HOME=${home}`)
  }
  return Bun.spawnSync(['ps', '-o', 'command=', '-p', String(pid)])
    .stdout.toString()
    .includes(ROLE_ARGUMENT)
}

async function readPids(path: string): Promise<number[]> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Object.values(value ?? {}).filter((pid): pid is number => Number.isInteger(pid) && pid > 1)
  } catch {
    return []
  }
}

/** The short way out for sockets is a directory under the system's temporary one, where somebody else may have been first. */
function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  const isOurs = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid())
  if (!isOurs)
    throw new Fault(
      'home-not-ours',
      `${path} is not a directory of this user; expected one nobody else can write to: remove it, or set TENTPOLE_HOME to another directory`,
    )
  chmodSync(path, 0o700)
}
