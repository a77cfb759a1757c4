import type { Terminal } from '../terminal.ts'
import type { PublishEvent } from './publish-title.ts'

const BAR_WIDTH = 24
/** Without a terminal a line is printed at every such step, in percent. */
const STEP_PERCENT = 10

/** Shows what happens: bars on a terminal, plain lines elsewhere, one JSON object a line with `json`. */
export function createProgressPrinter(terminal: Terminal, options: { json: boolean }): (event: PublishEvent) => void {
  if (options.json) return (event) => terminal.print(JSON.stringify(event))
  const show = terminal.showProgress ?? createSteps(terminal)
  const print = (line: string): void => {
    terminal.showProgress?.(null)
    terminal.print(line)
  }
  return (event) => {
    switch (event.type) {
      case 'created':
        return print(event.resumed ? `going on with title ${event.titleId}` : `title ${event.titleId}`)
      case 'upload':
        return show(`upload ${event.fileName}`.padEnd(28) + toBar(percentOf(event.sentBytes, event.totalBytes)))
      case 'progress': {
        const stages = event.stages.map((stage) => `${stage.name} ${stage.done}/${stage.total}`).join('  ')
        return show(`${'processing'.padEnd(28)}${toBar(event.percent)}  ${stages}`)
      }
      case 'playable':
        return print(`playable   ${event.url}`)
      case 'published':
        return print(`published  ${event.url}`)
      case 'failed':
        // Its reason goes to standard error.
        return terminal.showProgress?.(null)
    }
  }
}

/** A progress line only when its tens change: a log is not a screen. */
function createSteps(terminal: Terminal): (line: string) => void {
  let last = ''
  return (line) => {
    const [, what = '', percent = '0'] = /^(\S+(?: \S+)*)\s.*?(\d+)%/.exec(line) ?? []
    const step = `${what} ${Math.floor(Number(percent) / STEP_PERCENT)}`
    if (step === last) return
    last = step
    terminal.print(line.trimEnd())
  }
}

function toBar(percent: number): string {
  const filled = Math.round((percent / 100) * BAR_WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${String(Math.floor(percent)).padStart(3)}%`
}

const percentOf = (part: number, whole: number): number => (whole === 0 ? 100 : (part / whole) * 100)
