import { describeError, type Logger } from '../kernel/index.ts'

/** Takes lines at once and has them written behind; what does not fit in is dropped and counted. */
export type LineSink = {
  write(line: string): void
  /** Writes what waits. */
  close(): Promise<void>
}

const GATHER_MS = 200
/** A full disk is complained of this often. */
const COMPLAIN_MS = 60_000

/** `append` is called for one text at a time; lines in it are whole, each with its end. */
export function createLineSink(options: {
  readonly append: (text: string) => Promise<void>
  readonly bufferBytesMax: number
  readonly logger: Logger
}): LineSink {
  const { append, bufferBytesMax, logger } = options
  let waiting: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> = Promise.resolve()
  let isWriting = false
  let complainedAtMs = Number.NEGATIVE_INFINITY

  const complain = (error: unknown, lines: number): void => {
    dropped += lines
    const nowMs = performance.now()
    if (nowMs - complainedAtMs < COMPLAIN_MS) return
    complainedAtMs = nowMs
    logger.warn('lines of the access log are lost', { error: describeError(error) })
  }
  const takeAll = (): string => {
    const note = dropped > 0 ? [toDroppedLine(dropped)] : []
    const text = [...note, ...waiting].map((line) => `${line}\n`).join('')
    waiting = []
    waitingBytes = 0
    dropped = 0
    return text
  }
  const flush = async (): Promise<void> => {
    const lines = waiting.length + dropped
    if (lines === 0) return
    isWriting = true
    try {
      await append(takeAll())
    } catch (error) {
      complain(error, lines)
    }
    isWriting = false
  }
  const flushSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = null
      // The one under way is waited for: more than one at a time would mix.
      if (isWriting) flushSoon()
      else writing = flush()
    }, GATHER_MS)
  }

  return {
    write(line) {
      // A character of a line is a byte but for a few in a path.
      if (waitingBytes + line.length > bufferBytesMax) dropped += 1
      else {
        waiting.push(line)
        waitingBytes += line.length + 1
      }
      flushSoon()
    },
    async close() {
      if (timer !== null) clearTimeout(timer)
      await writing
      await flush()
    },
  }
}

function toDroppedLine(count: number): string {
  return JSON.stringify({ time: new Date().toISOString(), role: 'edge', message: 'lines dropped', count })
}
