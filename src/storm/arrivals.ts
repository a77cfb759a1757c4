import { createRandom, seedOf } from './random.ts'
import type { Phase, Scenario } from './scenario.ts'

/** Viewers draw from streams 0 and up; arrivals have one that no viewer has. */
const ARRIVALS_STREAM = -2

type Load = Pick<Scenario, 'phases' | 'baselinePerSecond'>

/** One phase with its rates as viewers per ms and the arrivals that are expected before and in it. */
type Stretch = {
  readonly fromMs: number
  readonly lengthMs: number
  readonly rateFrom: number
  readonly rateTo: number
  readonly before: number
  readonly within: number
}

/**
 * When viewers arrive, ms from the storm's begin, rising: a Poisson process whose rate follows the phases. Made by the
 * inverse of the rate's integral, so its mean is exact at every moment. `even` puts them where the integral passes a half,
 * one and a half, ... instead: no chance at all, for tests of the tool itself.
 */
export function planArrivals(load: Load, seed: number, options: { readonly even?: boolean } = {}): Float64Array {
  const stretches = toStretches(load)
  const random = createRandom(seedOf(seed, ARRIVALS_STREAM))
  // Gaps of a Poisson process of rate one; 1 - random() is never 0.
  const gap = options.even ? () => 1 : () => -Math.log(1 - random())
  const times: number[] = []
  let sum = options.even ? 0.5 : gap()
  for (const stretch of stretches)
    for (; sum < stretch.before + stretch.within; sum += gap()) times.push(momentOf(stretch, sum - stretch.before))
  return Float64Array.from(times)
}

/** How many arrive in the mean. */
export function arrivalsExpected(load: Load): number {
  return toStretches(load).reduce((sum, stretch) => sum + stretch.within, 0)
}

/** Viewers a second at the highest moment. */
export function peakPerSecond({ phases, baselinePerSecond }: Load): number {
  return baselinePerSecond * Math.max(...phases.map((phase) => Math.max(...ratesOf(phase))))
}

function toStretches({ phases, baselinePerSecond }: Load): Stretch[] {
  const stretches: Stretch[] = []
  let fromMs = 0
  let before = 0
  for (const phase of phases) {
    const [from, to] = ratesOf(phase)
    const [rateFrom, rateTo] = [(from * baselinePerSecond) / 1000, (to * baselinePerSecond) / 1000]
    const within = ((rateFrom + rateTo) / 2) * phase.durationMs
    stretches.push({ fromMs, lengthMs: phase.durationMs, rateFrom, rateTo, before, within })
    fromMs += phase.durationMs
    before += within
  }
  return stretches
}

function ratesOf({ arrivals }: Phase): readonly [from: number, to: number] {
  return typeof arrivals === 'number' ? [arrivals, arrivals] : [arrivals.from, arrivals.to]
}

/** The moment at which `area` arrivals of this stretch are expected: the root of a quadratic, in the form that no flat ramp breaks. */
function momentOf({ fromMs, lengthMs, rateFrom, rateTo }: Stretch, area: number): number {
  const slope = (rateTo - rateFrom) / lengthMs
  const divisor = rateFrom + Math.sqrt(Math.max(0, rateFrom * rateFrom + 2 * slope * area))
  return fromMs + (divisor === 0 ? 0 : Math.min(lengthMs, (2 * area) / divisor))
}
