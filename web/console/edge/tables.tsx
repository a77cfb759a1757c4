import type { ReactElement } from 'react'
import type { CacheOutcome, EdgeMetrics, EdgeTopObject } from '../../../src/contracts/index.ts'
import { formatBytes, formatCount } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { edgePath, titlePath } from '../route.ts'
import { useLive } from '../shell/context.tsx'
import { Empty } from '../shell/parts.tsx'
import { StateMark } from '../shell/state-mark.tsx'
import { formatPercent, listOutcomes, percentOf, titleIn } from './view.ts'

export function TopObjects({
  objects,
  byBytes,
}: {
  objects: readonly EdgeTopObject[]
  byBytes: boolean
}): ReactElement {
  if (objects.length === 0)
    return <Empty heading="Nothing was asked for yet">Press play on a film, and its segments show here.</Empty>
  return (
    <>
      <nav className="edge-order" aria-label="Order of objects">
        <Link href={edgePath('requests')} aria-current={byBytes ? undefined : 'true'}>
          By requests
        </Link>
        <Link href={edgePath('bytes')} aria-current={byBytes ? 'true' : undefined}>
          By bytes
        </Link>
      </nav>
      <div className="table-window panel">
        <table className="edge-table" data-testid="edge-top">
          <thead>
            <tr>
              <th scope="col">Object</th>
              <NumberHead>Requests</NumberHead>
              <NumberHead>Hits</NumberHead>
              <NumberHead>Sent</NumberHead>
            </tr>
          </thead>
          <tbody>
            {objects.slice(0, 20).map((object) => (
              <ObjectRow key={object.key} object={object} byBytes={byBytes} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function ObjectRow({ object, byBytes }: { object: EdgeTopObject; byBytes: boolean }): ReactElement {
  const { titles } = useLive()
  const { key, requests, hits, stale, misses, bytes, errorMax } = object
  const id = titleIn(key, (part) => titles?.has(part) ?? false)
  const title = id === null ? undefined : titles?.get(id)
  return (
    <tr>
      <th scope="row">
        {title === undefined ? null : (
          <Link className="row-link" href={titlePath(title.id)}>
            {title.name}
          </Link>
        )}
        <span className="row-file" title={key}>
          {id === null ? key : key.slice(key.indexOf(id) + id.length + 1) || key}
        </span>
      </th>
      <td className="cell-number">{atMost(formatCount(requests), !byBytes && errorMax > 0)}</td>
      <td className="cell-number">{formatPercent(percentOf(hits + stale, hits + stale + misses))}</td>
      <td className="cell-number">{atMost(formatBytes(bytes), byBytes && errorMax > 0)}</td>
    </tr>
  )
}

/** A sketch of fixed size may have counted an object for too many, never for too few. */
function atMost(text: string, isBound: boolean): string {
  return isBound ? `≤ ${text}` : text
}

const OUTCOME_WORDS: Readonly<Record<CacheOutcome, string>> = {
  hit: 'Hit: it was here',
  stale: 'Stale: sent though too old',
  revalidated: 'Revalidated: the origin said it is unchanged',
  miss: 'Miss: fetched from the origin',
  collapsed: "Collapsed: answered by another's fetch",
  bypass: 'Bypass: never stored',
  none: 'Not for the cache',
}

export function Outcomes({ metrics }: { metrics: EdgeMetrics }): ReactElement {
  const rows = listOutcomes(metrics)
  if (rows.length === 0) return <Empty heading="No requests yet">The edge has answered nobody since it started.</Empty>
  return (
    <div className="table-window panel">
      <table className="edge-table edge-outcomes">
        <thead>
          <tr>
            <th scope="col">Outcome</th>
            <NumberHead>Requests</NumberHead>
            <NumberHead>Share</NumberHead>
            <NumberHead>Sent</NumberHead>
            <NumberHead>Average</NumberHead>
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

function NumberHead({ children }: { children: string }): ReactElement {
  return (
    <th scope="col" className="cell-number">
      {children}
    </th>
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
