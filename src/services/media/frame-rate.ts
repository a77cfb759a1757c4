/** Frames per second as a fraction: 30000/1001, 24/1. */
export type Rate = { readonly numerator: number; readonly denominator: number }

const STANDARD: readonly Rate[] = [
  { numerator: 24_000, denominator: 1001 },
  { numerator: 24, denominator: 1 },
  { numerator: 25, denominator: 1 },
  { numerator: 30_000, denominator: 1001 },
  { numerator: 30, denominator: 1 },
  { numerator: 50, denominator: 1 },
  { numerator: 60_000, denominator: 1001 },
  { numerator: 60, denominator: 1 },
]
const RATE_MAX = 60
/** Below this a picture that hardly changes is repeated: a GOP of a handful of frames helps nobody. */
const RATE_MIN = 10
/** How far a measured average may be off its standard rate: half the distance of 24 from 24000/1001 is 0.05%, rounding in short files adds more. */
const SNAP = 0.002
/** A camera that drops frames reports a nominal standard rate and an average up to this much below it. */
const DROPPED = 0.05

/** `"30000/1001"` as ffprobe writes it; null for `0/0` and for what is no fraction. */
export function parseRate(text: string | undefined): Rate | null {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? '')
  const numerator = Number(match?.[1] ?? 0)
  const denominator = Number(match?.[2] ?? 0)
  return numerator > 0 && denominator > 0 ? { numerator, denominator } : null
}

export function toFramesPerSecond(rate: Rate): number {
  return rate.numerator / rate.denominator
}

/**
 * The constant rate a film is encoded at: its average, snapped to the standard rate it means, halved until it is at most
 * 60. A film with no known rate gets 25.
 */
export function chooseRate(average: Rate | null, nominal: Rate | null): Rate {
  const measured = average ?? nominal
  if (!measured) return { numerator: 25, denominator: 1 }
  const snapped = snap(measured) ?? dropped(measured, nominal) ?? measured
  return normalise(snapped)
}

/** Ticks per second and per frame: a timescale in which every frame starts at a whole tick. */
export function toTimescale(rate: Rate): { timescale: number; frameTicks: number } {
  return rate.denominator === 1001
    ? { timescale: rate.numerator, frameTicks: 1001 }
    : { timescale: Math.round((rate.numerator / rate.denominator) * 1000), frameTicks: 1000 }
}

function snap(rate: Rate): Rate | null {
  const halved = halve(rate)
  const distance = (standard: Rate): number => Math.abs(toFramesPerSecond(halved) / toFramesPerSecond(standard) - 1)
  const nearest = STANDARD.reduce((best, standard) => (distance(standard) < distance(best) ? standard : best))
  return distance(nearest) <= SNAP ? nearest : null
}

function dropped(average: Rate, nominal: Rate | null): Rate | null {
  const standard = nominal ? snap(nominal) : null
  if (!standard) return null
  const missing = 1 - toFramesPerSecond(halve(average)) / toFramesPerSecond(standard)
  return missing >= 0 && missing <= DROPPED ? standard : null
}

function halve(rate: Rate): Rate {
  let { numerator, denominator } = rate
  while (numerator / denominator > RATE_MAX * (1 + SNAP)) denominator *= 2
  return { numerator, denominator }
}

function normalise(rate: Rate): Rate {
  if (STANDARD.includes(rate)) return rate
  const framesPerSecond = Math.min(RATE_MAX, Math.max(RATE_MIN, toFramesPerSecond(halve(rate))))
  return { numerator: Math.round(framesPerSecond * 1000), denominator: 1000 }
}
