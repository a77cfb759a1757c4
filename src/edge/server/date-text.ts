import type { Clock } from '../../kernel/index.ts'

/** The `Date` line of an answer (RFC 9110, 6.6.1), made once a second. */
export type DateText = { line(elapsedMs: number): string }

export function createDateText(clock: Clock): DateText {
  let text = ''
  let untilMs = Number.NEGATIVE_INFINITY
  return {
    line(elapsedMs) {
      if (elapsedMs < untilMs) return text
      const nowMs = clock.nowMs()
      text = `date: ${new Date(nowMs).toUTCString()}\r\n`
      untilMs = elapsedMs + 1_000 - (nowMs % 1_000)
      return text
    },
  }
}
