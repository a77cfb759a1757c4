import { formatTime } from '../../common/format.ts'

/** `21 Nov 2026, 14:03:09` in the reader's own zone. */
export function formatMoment(ms: number): string {
  const day = new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
  return `${day}, ${formatTime(ms)}`
}
