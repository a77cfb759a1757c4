/** For each request: 0 when it has no line, else how many requests its line stands for. */
export type AccessSampler = { take(nowMs: number): number }

const SECOND_MS = 1_000

/**
 * Draws one by lot from each block of k requests. k follows the rate of the second before, or of this one as soon as that
 * is higher, so that a crowd that arrives at once writes few lines more than the rate: in its first second at most
 * `linesPerSecondMax * (1 + ln(requests / linesPerSecondMax))`. A block that a new second cuts short costs no truth:
 * its line was drawn with the chance it should have had.
 */
export function createAccessSampler(options: {
  readonly linesPerSecondMax: number
  readonly random: () => number
}): AccessSampler {
  const { linesPerSecondMax, random } = options
  let secondAtMs = Number.NEGATIVE_INFINITY
  let before = 0
  let seen = 0
  let size = 0
  let at = 0
  let drawn = 0

  const beginSecond = (nowMs: number): void => {
    before = nowMs - secondAtMs < 2 * SECOND_MS ? seen : 0
    secondAtMs = nowMs
    seen = 0
    at = size
  }
  const beginBlock = (): void => {
    size = Math.max(1, Math.ceil(Math.max(before, seen) / linesPerSecondMax))
    drawn = Math.floor(random() * size)
    at = 0
  }

  return {
    take(nowMs) {
      if (nowMs - secondAtMs >= SECOND_MS) beginSecond(nowMs)
      seen += 1
      if (at >= size) beginBlock()
      const isDrawn = at === drawn
      at += 1
      return isDrawn ? size : 0
    },
  }
}
