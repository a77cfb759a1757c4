import { UsageError } from './usage.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `15m`, `1h` or `7d`; anything else is a `UsageError`. */
export function toDurationMs(flag: string, text: string): number {
  const [, digits = '', unit = ''] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const unitMs = UNITS[unit]
  if (unitMs === undefined)
    throw new UsageError(`${flag}: expected a time such as 30s, 15m, 1h or 7d, got ${JSON.stringify(text)}`)
  return Number(digits) * unitMs
}
