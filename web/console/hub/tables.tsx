import type { ReactElement, ReactNode } from 'react'
import type { HubOverview } from '../../../src/contracts/index.ts'
import { formatAgo, formatCount } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { useNow } from '../shell/context.tsx'
import { Empty } from '../shell/parts.tsx'
import { lettersPath } from './address.ts'
import { formatRate, nameTopics, ROWS_MAX, toVisible } from './view.ts'

/** What pipes make of raw records, and what they refuse. */
export function Pipes({ pipes }: Pick<HubOverview, 'pipes'>): ReactElement {
  if (pipes.length === 0)
    return (
      <Empty heading="No pipes">
        A pipe makes events of another system's raw records: definePipe in a module named in the configuration.
      </Empty>
    )
  return (
    <Table id="pipes" heads={['Pipe', 'Behind', 'Accepted', 'Filtered', 'Refused', 'Per second']} count={pipes.length}>
      {pipes.slice(0, ROWS_MAX).map(({ name, from, lastError, ...pipe }) => (
        <tr key={name}>
          <th scope="row">
            <span className="row-name">{name}</span>
            <span className="row-file">from {from}</span>
            {lastError === null ? null : <span className="row-reason">{toVisible(lastError)}</span>}
          </th>
          <Figure label="Behind">{formatCount(pipe.lagRecords)}</Figure>
          <Figure label="Accepted">{formatCount(pipe.accepted)}</Figure>
          <Figure label="Filtered">{formatCount(pipe.filtered)}</Figure>
          <Figure label="Refused">
            {pipe.quarantined === 0 ? (
              '0'
            ) : (
              <Link className="text-link" href={lettersPath({ kind: 'pipe', name })}>
                {formatCount(pipe.quarantined)}
              </Link>
            )}
          </Figure>
          <Figure label="Per second">{formatRate(pipe.acceptedPerSecond)}</Figure>
        </tr>
      ))}
    </Table>
  )
}

export function Producers({ producers }: Pick<HubOverview, 'producers'>): ReactElement {
  const nowMs = useNow()
  if (producers.length === 0)
    return <Empty heading="Nobody has published yet">Who does shows here, by the source that its events name.</Empty>
  const sorted = [...producers].sort((a, b) => b.eventsPerSecond - a.eventsPerSecond || b.events - a.events)
  return (
    <Table id="producers" heads={['Source', 'Events', 'Per second', 'Last']} count={producers.length}>
      {sorted.slice(0, ROWS_MAX).map(({ source, events, eventsPerSecond, lastAtMs }) => (
        <tr key={source}>
          <th scope="row">
            <span className="row-name">{toVisible(source)}</span>
          </th>
          <Figure label="Events">{formatCount(events)}</Figure>
          <Figure label="Per second">{formatRate(eventsPerSecond)}</Figure>
          <Figure label="Last">{formatAgo(lastAtMs, nowMs)}</Figure>
        </tr>
      ))}
    </Table>
  )
}

export function Topics({ topics }: Pick<HubOverview, 'topics'>): ReactElement {
  if (topics.length === 0) return <Empty heading="No topics">Registered event types bring their topics.</Empty>
  return (
    <Table id="topics" heads={['Topic', 'On the log', 'End', 'Archived to']} count={topics.length}>
      {nameTopics(topics.slice(0, ROWS_MAX)).map(({ key, first, end, archivedTo }) => (
        <tr key={key}>
          <th scope="row">
            <span className="row-name">{key}</span>
          </th>
          <Figure label="On the log">{formatCount(end - first)}</Figure>
          <Figure label="End">{formatCount(end)}</Figure>
          <Figure label="Archived to">{archivedTo === null ? '–' : formatCount(archivedTo)}</Figure>
        </tr>
      ))}
    </Table>
  )
}

type TableProps = { id: string; heads: readonly string[]; count: number; children: ReactNode }

function Table({ id, heads, count, children }: TableProps): ReactElement {
  return (
    <>
      <div className="table-window panel">
        <table className="hub-table" data-testid={id}>
          <thead>
            <tr>
              {heads.map((head, at) => (
                <th key={head} scope="col" className={at === 0 ? 'hub-col-name' : 'cell-number'}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
      {count <= ROWS_MAX ? null : (
        <p className="hub-note">
          The first {ROWS_MAX} of {formatCount(count)}.
        </p>
      )}
    </>
  )
}

function Figure({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return (
    <td className="cell-number" data-label={label}>
      {children}
    </td>
  )
}
