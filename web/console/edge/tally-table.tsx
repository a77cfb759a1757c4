import type { ReactElement } from 'react'
import { formatBytes, formatCount } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { type EdgeTable, type EdgeTablesView, edgePath, titlePath } from '../route.ts'
import { CopyButton, Empty } from '../shell/parts.tsx'
import { type Selected, selectRows, type TallyRow } from './rows.ts'
import { SortHead } from './sort-head.tsx'
import { formatPercent } from './view.ts'

type TallyTableProps = {
  readonly table: Exclude<EdgeTable, 'outcomes'>
  /** What a row is, as the head of its column says it. */
  readonly what: string
  readonly rows: readonly TallyRow[]
  readonly view: EdgeTablesView
  /** Which of its figures are those of a sketch, which may be too high by `errorMax`. */
  readonly bound: 'requests' | 'bytes' | null
}

/** Who was asked for, how often, how much of it was here: sorted and filtered as the address says. */
export function TallyTable({ table, what, rows, view, bound }: TallyTableProps): ReactElement {
  if (rows.length === 0)
    return <Empty heading="Nothing was asked for yet">Press play on a film, and what it costs shows here.</Empty>
  const selected = selectRows(rows, view.text, view[table])
  if (selected.rows.length === 0)
    return (
      <Empty heading="Nothing matches">
        All {formatCount(rows.length)} are hidden by the filter.{' '}
        <Link className="text-link" href={edgePath({ ...view, text: '' })}>
          Show all
        </Link>
      </Empty>
    )
  return (
    <>
      <div className="table-window panel">
        <table className="edge-table" data-testid={`edge-${table}`}>
          <thead>
            <tr>
              <SortHead table={table} column="name" view={view}>
                {what}
              </SortHead>
              <SortHead table={table} column="requests" view={view}>
                Requests
              </SortHead>
              <SortHead table={table} column="hits" view={view}>
                Hits
              </SortHead>
              <SortHead table={table} column="bytes" view={view}>
                Sent
              </SortHead>
            </tr>
          </thead>
          <tbody>
            {selected.rows.map((row) => (
              <Row key={row.key} row={row} bound={bound} />
            ))}
          </tbody>
        </table>
      </div>
      <More selected={selected} />
    </>
  )
}

function Row({ row, bound }: { row: TallyRow; bound: TallyTableProps['bound'] }): ReactElement {
  const { key, title, detail, requests, hitPercent, bytes, errorMax } = row
  return (
    <tr>
      <th scope="row">
        {title === null ? null : (
          <Link className="row-link" href={titlePath(title.id)}>
            {title.name}
          </Link>
        )}
        <span className="edge-detail">
          <span className="row-file" title={key}>
            {detail}
          </span>
          {title?.id === key ? <CopyButton text={key} name={`the id of ${title.name}`} /> : null}
        </span>
      </th>
      <td className="cell-number">{atMost(formatCount(requests), bound === 'requests' && errorMax > 0)}</td>
      <td className="cell-number">{formatPercent(hitPercent)}</td>
      <td className="cell-number">{atMost(formatBytes(bytes), bound === 'bytes' && errorMax > 0)}</td>
    </tr>
  )
}

function More({ selected: { rows, more } }: { selected: Selected<TallyRow> }): ReactElement | null {
  if (more === 0) return null
  return (
    <p className="edge-note">
      The first {rows.length} of {formatCount(rows.length + more)}; filter to see others.
    </p>
  )
}

/** A sketch of fixed size may have counted an object for too many, never for too few. */
function atMost(text: string, isBound: boolean): string {
  return isBound ? `≤ ${text}` : text
}
