import type { EventJourney } from '../../contracts/index.ts'
import { toPrintable } from '../printable.ts'
import { toTable } from '../table.ts'

const NOT_MATCHED = 'not-matched'

/** One event's way, a line at a time: where it came from, where it is on the log, and what each subscription did with it. */
export function describeJourney({ event, position, appendedAtMs, pipe, causedBy, stops }: EventJourney): string[] {
  const { id, type, source, subject } = event as Readonly<Record<string, unknown>> // from the log
  const met = stops.filter(({ state }) => state !== NOT_MATCHED)
  const others = stops.filter(({ state }) => state === NOT_MATCHED).map(({ subscription }) => subscription)
  return [
    `${text(type)}  ${text(id)}  about ${text(subject)}`,
    `published  by ${text(source)}${pipe === null ? '' : `, made by the pipe ${pipe} from ${causedBy ?? 'a record that is not known'}`}`,
    `on the log  ${position}  since ${toTime(appendedAtMs)}`,
    ...(met.length === 0
      ? ['no subscription takes it']
      : toTable(
          ['subscription', 'state', 'attempts', 'at', 'reason'],
          met.map(({ subscription, state, attempts, atMs, reason }) => [
            subscription,
            state,
            attempts === null ? '-' : String(attempts),
            atMs === null ? '-' : toTime(atMs),
            toPrintable(reason ?? ''),
          ]),
        )),
    ...(others.length === 0 ? [] : [`not matched  ${others.join(', ')}`]),
  ]
}

export function toTime(atMs: number): string {
  return new Date(atMs).toISOString()
}

function text(value: unknown): string {
  return toPrintable(typeof value === 'string' ? value : (JSON.stringify(value) ?? '-'))
}
