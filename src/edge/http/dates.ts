/** HTTP-date (RFC 9110, 5.6.7): all three formats read, strictly and with regard to case; one written. */

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const MONTH = MONTHS.join('|')
const SHORT_DAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun'
const LONG_DAY = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'

const IMF_FIXDATE = new RegExp(`^(?:${SHORT_DAY}), (\\d\\d) (${MONTH}) (\\d{4}) ${TIME} GMT$`)
const RFC850_DATE = new RegExp(`^(?:${LONG_DAY}), (\\d\\d)-(${MONTH})-(\\d\\d) ${TIME} GMT$`)
const ASCTIME_DATE = new RegExp(`^(?:${SHORT_DAY}) (${MONTH}) (\\d\\d| \\d) ${TIME} (\\d{4})$`)

/** The ends of what an HTTP-date can say: years have four digits. */
const EARLIEST_MS = new Date(0).setUTCFullYear(0, 0, 1)
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59)
const CENTURY_YEARS = 100
const FUTURE_YEARS_MAX = 50

/**
 * Milliseconds since 1970, or null for what is no HTTP-date. The name of the day is not compared with the date: it says
 * nothing that the rest does not. `nowMs` settles the century of two-digit years.
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number | null {
  const fixdate = IMF_FIXDATE.exec(text)
  if (fixdate !== null) {
    const [, day, month, year, ...time] = fixdate
    return toMs(Number(year), month, day, time)
  }
  const asctime = ASCTIME_DATE.exec(text)
  if (asctime !== null) {
    const [, month, day, hour, minute, second, year] = asctime
    return toMs(Number(year), month, day, [hour, minute, second])
  }
  const rfc850 = RFC850_DATE.exec(text)
  return rfc850 === null ? null : parseShortYear(rfc850, nowMs)
}

/**
 * The latest year with these two digits that is not more than 50 years ahead (RFC 9110, 5.6.7); years are compared to the
 * moment, not by their numbers alone.
 */
function parseShortYear(match: RegExpExecArray, nowMs: number): number | null {
  const [, day, month, digits, ...time] = match
  const now = new Date(nowMs)
  const horizonMs = new Date(nowMs).setUTCFullYear(now.getUTCFullYear() + FUTURE_YEARS_MAX)
  const century = now.getUTCFullYear() - (now.getUTCFullYear() % CENTURY_YEARS)
  for (const base of [century + CENTURY_YEARS, century, century - CENTURY_YEARS]) {
    const ms = toMs(base + Number(digits), month, day, time)
    if (ms !== null && ms <= horizonMs) return ms
  }
  return null
}

function toMs(
  year: number,
  month: string | undefined,
  day: string | undefined,
  time: readonly (string | undefined)[],
): number | null {
  const [hour, minute, second] = time.map(Number)
  if (month === undefined || hour === undefined || minute === undefined || second === undefined) return null
  // 60 is a leap second, which the calendar here counts as the next minute's first.
  if (hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(0)
  date.setUTCFullYear(year, MONTHS.indexOf(month), Number(day))
  if (date.getUTCDate() !== Number(day)) return null
  return date.setUTCHours(hour, minute, second)
}

/** IMF-fixdate, the only form to be sent (RFC 9110, 5.6.7), in whole seconds; times beyond its four-digit years are cut to them. */
export function toHttpDate(ms: number): string {
  if (Number.isNaN(ms))
    throw new RangeError('An HTTP-date needs milliseconds since 1970, got NaN; check what it was computed from')
  return new Date(Math.min(Math.max(ms, EARLIEST_MS), LATEST_MS)).toUTCString()
}
