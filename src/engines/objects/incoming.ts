import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createId } from '../../kernel/index.ts'

/**
 * Names for files on their way to becoming objects: `<pid>-<when that process began>-<id>`. Several processes put
 * objects at once, so what one of them finds lying about may be another's work: only files of processes that are gone
 * are swept.
 */
export function createIncoming(directory: string): { path(): string } {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const self = `${process.pid}-${startOf(process.pid)}`
  for (const name of readdirSync(directory)) {
    const [pid, start] = name.split('-')
    if (!isAlive(Number(pid), start ?? '')) rmSync(join(directory, name), { force: true })
  }
  return { path: () => join(directory, `${self}-${createId()}`) }
}

function isAlive(pid: number, start: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is a process all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return startOf(pid) === start
}

/** When a process began, in clock ticks since the machine did, so that a pid used again is not mistaken; `0` where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}
