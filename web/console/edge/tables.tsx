import type { ReactElement } from 'react'
import type { CacheOutcome, EdgeMetrics } from '../../../src/contracts/index.ts'
import { formatBytes, formatCount } from '../../common/format.ts'
import type { EdgeTablesView } from '../route.ts'
import { Empty } from '../shell/parts.tsx'
import { StateMark } from '../shell/state-mark.tsx'
import { sortOutcomes } from './rows.ts'
import { SortHead } from './sort-head.tsx'
import { formatPercent, listOutcomes } from './view.ts'

const OUTCOME_WORDS: Readonly<Record<CacheOutcome, string>> = {
  hit: 'Hit: it was here',
  stale: 'Stale: sent though too old',
  revalidated: 'Revalidated: the origin said it is unchanged',
  miss: 'Miss: fetched from the origin',
  collapsed: "Collapsed: answered by another's fetch",
  bypass: 'Bypass: never stored',
  none: 'Not for the cache',
}

export function Outcomes({ metrics, view }: { metrics: EdgeMetrics; view: EdgeTablesView }): ReactElement {
  const rows = sortOutcomes(listOutcomes(metrics), view.outcomes, ({ cache }) => OUTCOME_WORDS[cache])
  if (rows.length === 0) return <Empty heading="No requests yet">The edge has answered nobody since it started.</Empty>
  return (
    <div className="table-window panel">
      <table className="edge-table edge-outcomes" data-testid="edge-outcomes">
        <thead>
          <tr>
            <SortHead table="outcomes" column="name" view={view}>
              Outcome
            </SortHead>
            <SortHead table="outcomes" column="requests" view={view}>
              Requests
            </SortHead>
            <th scope="col" className="cell-number">
              Share
            </th>
            <SortHead table="outcomes" column="bytes" view={view}>
              Sent
            </SortHead>
            <SortHead table="outcomes" column="averageMs" view={view}>
              Average
            </SortHead>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ cache, requests, percent, bytes, averageMs }) => (
            <tr key={cache}>
              <th scope="row">{OUTCOME_WORDS[cache]}</th>
              <td className="cell-number">{formatCount(requests)}</td>
              <td className="cell-number">{formatPercent(percent)}</td>
              <td className="cell-number">{formatBytes(bytes)}</td>
              <td className="cell-number">{averageMs.toFixed(1)} ms</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Cells, origins, and what is being fetched from them. */
export function Links({ metrics: { cellLinks, origins, fetches, cells } }: { metrics: EdgeMetrics }): ReactElement {
  const links = [
    ...(cellLinks ?? []).map(({ name, connected }) => ({
      name: `cell ${name}`,
      tone: connected ? ('good' as const) : ('bad' as const),
      word: connected ? 'connected' : 'not connected',
      requests: cells.find((cell) => cell.name === name)?.requests ?? 0,
    })),
    ...(origins ?? []).map(({ name, state }) => ({
      name: `origin ${name}`,
      tone: state === 'up' ? ('good' as const) : state === 'trial' ? ('warn' as const) : ('bad' as const),
      word: state === 'trial' ? 'being tried' : state,
      requests: null,
    })),
  ]
  if (links.length === 0)
    return <Empty heading="Nothing behind it is told">This edge names neither cells nor origins.</Empty>
  return (
    <>
      <ul className="tiles">
        {links.map(({ name, tone, word, requests }) => (
          <li key={name}>
            <div className={`tile edge-tile tile-${tone}`}>
              <div className="tile-head">
                <h3>{name}</h3>
                <StateMark tone={tone}>{word}</StateMark>
              </div>
              {requests === null ? null : <p className="figure-note">{formatCount(requests)} requests</p>}
            </div>
          </li>
        ))}
      </ul>
      {fetches === null ? null : (
        <p className="edge-note">
          {formatCount(fetches.fetches)} fetches under way for {formatCount(fetches.readers)} requests,{' '}
          {formatBytes(fetches.bufferedBytes)} held for who is behind.
        </p>
      )}
    </>
  )
}

export function Refusals({ metrics: { server } }: { metrics: EdgeMetrics }): ReactElement {
  const refusals = Object.entries(server?.refusals ?? {}).sort(([, left], [, right]) => right - left)
  if (refusals.length === 0)
    return (
      <Empty heading="Nobody was refused">
        Malformed requests, slow clients and clients beyond their limits are counted here, by reason.
      </Empty>
    )
  return (
    <ul className="panel edge-refusals" data-testid="edge-refusals">
      {refusals.map(([code, count]) => (
        <li key={code}>
          <code>{code}</code>
          <b>{formatCount(count)}</b>
        </li>
      ))}
    </ul>
  )
}
