import { readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const NICE = -10
/** Of the whole session, the user's shell included. */
const AUTOGROUP = '/proc/self/autogroup'

export type Priority = {
  /** Whether it was allowed; without, a busy machine makes the run invalid sooner. */
  readonly raised: boolean
  /** Puts back what was before; once is enough. Happens by itself when the process ends. */
  restore(): void
}

/**
 * Asks the system to let this process go before others, as a generator on a machine of its own would not have to wait
 * for the platform it measures. Linux shares the processor between sessions before it looks at niceness
 * (`sched_autogroup`), so both are set.
 */
export function raisePriority(): Priority {
  const niceBefore = getPriority()
  const groupBefore = readAutogroup()
  const raised = attempt(() => setPriority(0, NICE))
  const grouped = groupBefore !== null && attempt(() => writeFileSync(AUTOGROUP, String(NICE)))
  let isRestored = false
  const restore = (): void => {
    if (isRestored) return
    isRestored = true
    process.off('exit', restore)
    if (raised) attempt(() => setPriority(0, niceBefore))
    if (grouped) attempt(() => writeFileSync(AUTOGROUP, String(groupBefore)))
  }
  // A second Ctrl-C ends the process without another word.
  process.on('exit', restore)
  return { raised: raised && (grouped || process.platform !== 'linux'), restore }
}

/** Null where there is none. */
function readAutogroup(): number | null {
  try {
    const nice = /nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8'))?.[1]
    return nice === undefined ? null : Number(nice)
  } catch {
    return null
  }
}

function attempt(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
