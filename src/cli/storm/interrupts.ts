import { Fault } from '../../kernel/index.ts'

/** A launcher passes on a Ctrl-C that the terminal has delivered already: this close together it is one. */
const SAME_INTERRUPT_MS = 500
/** 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED_EXIT_CODE = 130

export type Interrupts = {
  /** Aborted by the first signal, with a Fault `interrupted`. */
  readonly signal: AbortSignal
  /** What a second one does before the process ends at once. */
  onSecond(run: () => void): void
  close(): void
}

export type InterruptSource = {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
}

/** The first Ctrl-C ends the storm early and in order; a second does not wait. */
export function createInterrupts(
  options: { source?: InterruptSource; exit?: (code: number) => void; nowMs?: () => number } = {},
): Interrupts {
  const { source = process, exit = process.exit, nowMs = () => performance.now() } = options
  const abort = new AbortController()
  let firstAtMs: number | null = null
  let atOnce = (): void => {}
  const listener = (): void => {
    const now = nowMs()
    if (firstAtMs === null) {
      firstAtMs = now
      abort.abort(new Fault('interrupted', 'interrupted; nothing of it is left behind'))
      return
    }
    if (now - firstAtMs < SAME_INTERRUPT_MS) return
    atOnce()
    exit(INTERRUPTED_EXIT_CODE)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) source.on(signal, listener)
  return {
    signal: abort.signal,
    onSecond(run) {
      atOnce = run
    },
    close() {
      for (const signal of signals) source.off(signal, listener)
    },
  }
}
