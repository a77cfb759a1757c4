import { readdirSync, readFileSync } from 'node:fs'

/** User and system time of a process and of all that it started, in all of their threads, from Linux' `/proc`. */
export function cpuSecondsOf(pid: number): number {
  const processes = readProcesses()
  const belongs = (each: number): boolean => {
    for (let at = each; at > 1; at = processes.get(at)?.parent ?? 0) if (at === pid) return true
    return false
  }
  let seconds = 0
  for (const [each, process] of processes) if (belongs(each)) seconds += process.seconds
  return seconds
}

/** Whatever the kernel's own rate is, it tells user space hundredths (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100
/** Behind the name in parentheses, which may hold anything: state, parent; user and system time are the 12th and 13th. */
const PARENT = 1
const USER = 11
const SYSTEM = 12

function readProcesses(): ReadonlyMap<number, { readonly parent: number; readonly seconds: number }> {
  const processes = new Map<number, { parent: number; seconds: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = readFields(name)
    if (fields === null) continue
    const ticks = Number(fields[USER]) + Number(fields[SYSTEM])
    processes.set(Number(name), { parent: Number(fields[PARENT]), seconds: ticks / TICKS_PER_SECOND })
  }
  return processes
}

/** Null for one that has ended since the directory was read. */
function readFields(pid: string): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
