import type { CloudEvent } from '../../../src/contracts/index.ts'
import type { SeenEvent } from '../live/state.ts'

/** The tail as it stood when it was paused, or as it is. */
export function selectEvents(events: readonly SeenEvent[], type: string | null): readonly SeenEvent[] {
  return type === null ? events : events.filter(({ event }) => event.type === type)
}

/** How many of `events` came after `frozen` was taken; both newest first. */
export function countNewer(events: readonly SeenEvent[], frozen: readonly SeenEvent[]): number {
  const newest = frozen[0]?.event.id
  if (newest === undefined) return events.length
  const at = events.findIndex(({ event }) => event.id === newest)
  return at < 0 ? events.length : at
}

/** `tentpole.title.published.v1` → `title published`. */
export function shortType(type: string): string {
  return type
    .replace(/^tentpole\./, '')
    .replace(/\.v\d+$/, '')
    .replaceAll('.', ' ')
}

/** What an event says, on one line. */
export function summarize(event: CloudEvent): string {
  const data = event.data as Readonly<Record<string, unknown>>
  const metadata = data['metadata'] as { name?: unknown } | undefined
  const parts = [
    text(metadata?.name),
    text(data['reason']),
    text(data['track']),
    typeof data['percent'] === 'number' ? `${Math.floor(data['percent'])}%` : '',
    typeof data['index'] === 'number' ? `segment ${data['index']}` : '',
    Array.isArray(data['segments']) ? `${data['segments'].length} segments` : '',
    [data['country'], data['platform'], data['cell']].map(text).filter(Boolean).join(' '),
  ]
  return parts.filter(Boolean).join(' · ')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
