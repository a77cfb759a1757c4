import { readFileSync } from 'node:fs'
import { describeError, Fault } from '../../kernel/index.ts'
import type { Victim } from './roles.ts'
import { knownInside } from './small-disk.ts'

/** How much later than planned the guard of a frozen process lets it go on. */
const GUARD_LATE_MS = 1_000

/** Signals to a platform's role processes, and to no others. Faults `not-a-role`, `process-out-of-reach`. */
export type Processes = {
  kill(victim: Victim): void
  /** SIGSTOP. Whatever becomes of the storm, the process goes on a second after `forMs` at the latest. */
  freeze(victim: Victim, forMs: number): void
  /** SIGCONT to every process that this fault has frozen and that is still there. */
  thaw(): void
}

/** The processes that one fault strikes. */
export function createProcesses(home: string): Processes {
  const frozen = new Map<number, () => void>()
  const knownHome = knownInside(home)
  return {
    kill(victim) {
      if (isRole(victim, knownHome)) signal(victim, 'SIGKILL')
    },
    freeze(victim, forMs) {
      if (frozen.has(victim.pid) || !isRole(victim, knownHome)) return
      const dismiss = startGuard(victim.pid, forMs + GUARD_LATE_MS)
      frozen.set(victim.pid, () => {
        dismiss()
        goOn(victim, knownHome)
      })
      signal(victim, 'SIGSTOP')
    },
    thaw() {
      for (const [pid, go] of frozen) {
        frozen.delete(pid)
        go()
      }
    },
  }
}

/** Lets the process go on later, from a session of its own: it outlives a storm that is killed. */
function startGuard(pid: number, afterMs: number): () => void {
  const guard = Bun.spawn(['sh', '-c', 'sleep "$1"; kill -CONT "$2"', 'sh', String(afterMs / 1_000), String(pid)], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return () => {
    try {
      process.kill(-guard.pid, 'SIGKILL')
    } catch {
      // It has done its work.
    }
  }
}

/** A process that is gone needs nothing, and whoever has its id by now was not stopped by us. */
function goOn(victim: Victim, home: string): void {
  try {
    if (isRole(victim, home)) signal(victim, 'SIGCONT')
  } catch {
    // Not the one that was stopped.
  }
}

/** False when the process is gone. Process ids are used again: only one that lives in this platform's home is struck. */
function isRole({ role, pid }: Victim, home: string): boolean {
  if (pid <= 1 || pid === process.pid) throw notARole(role, pid, home)
  if (process.platform !== 'linux') return isRoleByArguments({ role, pid }, home)
  let environment: string
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return false
    throw new Fault(
      'process-out-of-reach',
      `process ${pid} (${role}) cannot be looked at: ${describeError(error)}; run storm as the user that the platform runs as`,
      { cause: error },
    )
  }
  // What is left of a process that ended but was not waited for.
  if (environment === '') return false
  if (environment.split('\0').includes(`TENTPOLE_HOME=${home}`)) return true
  throw notARole(role, pid, home)
}

function isRoleByArguments({ role, pid }: Victim, home: string): boolean {
  const line = Bun.spawnSync(['ps', '-o', 'command=', '-p', String(pid)]).stdout.toString()
  if (line.trim() === '') return false
  if (line.includes(role)) return true
  throw notARole(role, pid, home)
}

const notARole = (role: string, pid: number, home: string): Fault =>
  new Fault(
    'not-a-role',
    `process ${pid}, said to be ${role}, does not belong to the platform in ${home}; nothing was done to it: storm the platform that runs on this machine`,
  )

function signal({ role, pid }: Victim, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
    throw new Fault(
      'process-out-of-reach',
      `${name} to process ${pid} (${role}) was refused: ${describeError(error)}; run storm as the user that the platform runs as`,
      { cause: error },
    )
  }
}
