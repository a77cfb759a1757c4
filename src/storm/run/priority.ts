import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const NICE = -10

/**
 * Asks the system to let this process go before others, as a generator on a machine of its own would not have to wait
 * for the platform it measures. Linux shares the processor between sessions before it looks at niceness
 * (`sched_autogroup`), so both are set. Returns whether it was allowed; without, a busy machine makes the run invalid sooner.
 */
export function raisePriority(): boolean {
  const raised = attempt(() => setPriority(0, NICE))
  const grouped = attempt(() => writeFileSync('/proc/self/autogroup', String(NICE)))
  return raised && (grouped || process.platform !== 'linux')
}

function attempt(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
