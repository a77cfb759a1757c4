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
  const own = raiseTo(NICE, getPriority(), (nice) => setPriority(0, nice))
  const group = raiseTo(NICE, readAutogroup(), (nice) => writeFileSync(AUTOGROUP, String(nice)))
  let isRestored = false
  const restore = (): void => {
    if (isRestored) return
    isRestored = true
    process.off('exit', restore)
    own.restore()
    group.restore()
  }
  // A second Ctrl-C ends the process without another word.
  process.on('exit', restore)
  return { raised: own.raised && (group.raised || process.platform !== 'linux'), restore }
}

/** What is raised already is left alone, then and in the end: another storm of this session has raised it, and puts it back. */
function raiseTo(nice: number, before: number | null, set: (nice: number) => void): Priority {
  if (before === null) return { raised: false, restore() {} }
  if (before <= nice) return { raised: true, restore() {} }
  const raised = attempt(() => set(nice))
  return {
    raised,
    restore() {
      if (raised) attempt(() => set(before))
    },
  }
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
