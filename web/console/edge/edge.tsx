import { type ReactElement, type ReactNode, useMemo } from 'react'
import type { EdgeMetrics } from '../../../src/contracts/index.ts'
import { formatBytes, formatCount, formatTime } from '../../common/format.ts'
import { useLocation, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { type EdgeTablesView, edgePath, parseEdgeTablesView } from '../route.ts'
import { useLive } from '../shell/context.tsx'
import { Bar, Empty, PageHead } from '../shell/parts.tsx'
import { Chart } from './chart.tsx'
import { type TitleNames, toObjectRows, toTitleRows } from './rows.ts'
import { Links, Outcomes, Refusals } from './tables.tsx'
import { TallyTable } from './tally-table.tsx'
import { useEdge } from './use-edge.ts'
import { type EdgeMoment, formatPercent, formatRate, percentOf, toMoments, whyStale } from './view.ts'
import './edge.css'

export function EdgePage(): ReactElement {
  const state = useEdge()
  const { view, problem } = state
  const moments = useMemo(() => toMoments(view?.samples ?? []), [view])
  const stale = whyStale(state)
  return (
    <>
      <PageHead title="Edge" />
      {stale === null ? null : (
        <div className="banner" role="status" data-testid="edge-stale">
          <Icon name="warning" size={18} />
          {stale} What you see is from {formatTime(view?.heardAtMs ?? 0)}.
        </div>
      )}
      {view?.metrics ? (
        <EdgeBody metrics={view.metrics} moments={moments} />
      ) : (
        <Nothing problem={problem} asked={view !== null} />
      )}
    </>
  )
}

function Nothing({ problem, asked }: { problem: string | null; asked: boolean }): ReactElement {
  if (problem !== null)
    return <Empty heading="The edge's figures cannot be had">{problem} It is asked again by itself.</Empty>
  if (asked)
    return (
      <Empty heading="The edge has not been heard yet" data-testid="edge-unheard">
        It tells what it counts as soon as it runs. The overview says how it is.
      </Empty>
    )
  return (
    <div className="figures" aria-busy="true">
      <span className="hidden-text">Loading</span>
      {[0, 1, 2, 3].map((index) => (
        <div key={index} className="skeleton edge-waiting" />
      ))}
    </div>
  )
}

function EdgeBody({ metrics, moments }: { metrics: EdgeMetrics; moments: readonly EdgeMoment[] }): ReactElement {
  const view = parseEdgeTablesView(useLocation())
  const { titles } = useLive()
  const names: TitleNames = titles ?? NO_TITLES
  const bound = view.objects.column === 'bytes' ? 'bytes' : 'requests'
  return (
    <>
      <Figures metrics={metrics} now={moments.at(-1) ?? null} />
      <Charts moments={moments} />
      <Filter view={view} />
      <Section id="titles" name="Titles">
        <TallyTable table="titles" what="Title" rows={toTitleRows(metrics.tags, names)} view={view} bound={null} />
      </Section>
      <Section id="objects" name="Asked for most">
        <TallyTable
          table="objects"
          what="Object"
          rows={toObjectRows(bound === 'bytes' ? metrics.topByBytes : metrics.topByRequests, names)}
          view={view}
          bound={bound}
        />
      </Section>
      <Section id="outcomes" name="What the cache did">
        <Outcomes metrics={metrics} view={view} />
      </Section>
      <Section id="links" name="Behind the edge">
        <Links metrics={metrics} />
      </Section>
      <Section id="refusals" name="Refused at the door">
        <Refusals metrics={metrics} />
      </Section>
    </>
  )
}

const NO_TITLES: TitleNames = new Map()

/** For the tables that grow with the catalogue; the others are a handful of rows. */
function Filter({ view }: { view: EdgeTablesView }): ReactElement {
  const navigation = useNavigation()
  return (
    <search className="filters edge-filter">
      <label className="field field-search">
        <span className="field-icon">
          <Icon name="search" size={18} />
        </span>
        <span className="hidden-text">Filter titles and objects</span>
        <input
          type="search"
          placeholder="Filter titles and objects by name, id or file"
          value={view.text}
          data-testid="edge-filter"
          onChange={(event) => navigation.go(edgePath({ ...view, text: event.currentTarget.value }), { replace: true })}
        />
      </label>
    </search>
  )
}

function Section({ id, name, children }: { id: string; name: string; children: ReactNode }): ReactElement {
  return (
    <section aria-labelledby={`edge-${id}`}>
      <h2 id={`edge-${id}`}>{name}</h2>
      {children}
    </section>
  )
}

function Figures({ metrics, now }: { metrics: EdgeMetrics; now: EdgeMoment | null }): ReactElement {
  const { memory, server } = metrics
  const { hits, asked } = sumOf(metrics)
  const fill = memory === null ? null : percentOf(memory.bytes, memory.bytesMax)
  return (
    <div className="figures">
      <Figure name="Requests" value={formatRate(now?.requests ?? null)} note="per second, last period" id="requests">
        {server === null ? null : (
          <p className="figure-note">
            {formatCount(server.inFlight)} in flight on {formatCount(server.connections)} connections
          </p>
        )}
      </Figure>
      <Figure
        name="Hit ratio"
        value={formatPercent(now?.hitPercent ?? null)}
        note={`${formatPercent(percentOf(hits, asked))} since the edge started`}
        id="hits"
      />
      <Figure
        name="Sent"
        value={now === null || now.bytes === null ? '–' : `${formatBytes(now.bytes)}/s`}
        note="content, last period"
        id="bytes"
      />
      {memory === null || fill === null ? null : (
        <Figure
          name="Memory"
          value={formatBytes(memory.bytes)}
          note={`of ${formatBytes(memory.bytesMax)}, ${formatCount(memory.evicted)} evicted`}
          id="memory"
        >
          <Bar percent={fill} label={`Memory: ${Math.round(fill)}% full`} />
        </Figure>
      )}
    </div>
  )
}

/** Of what a cache may answer: how much it had. */
function sumOf({ requests }: EdgeMetrics): { hits: number; asked: number } {
  const isHit = (cache: string): boolean => cache === 'hit' || cache === 'stale' || cache === 'revalidated'
  const isAsked = (cache: string): boolean => isHit(cache) || cache === 'miss' || cache === 'collapsed'
  const count = (belongs: (cache: string) => boolean): number =>
    requests.reduce((sum, request) => sum + (belongs(request.cache) ? request.count : 0), 0)
  return { hits: count(isHit), asked: count(isAsked) }
}

type FigureProps = { name: string; value: string; note: string; id: string; children?: ReactNode }

function Figure({ name, value, note, id, children }: FigureProps): ReactElement {
  return (
    <div className="panel figure" data-testid={`edge-${id}`}>
      <h2>{name}</h2>
      <p className="figure-value edge-value">{value}</p>
      {children}
      <p className="figure-note">{note}</p>
    </div>
  )
}

function Charts({ moments }: { moments: readonly EdgeMoment[] }): ReactElement {
  const atMs = useMemo(() => moments.map((moment) => moment.atMs), [moments])
  const rates = useMemo(
    () =>
      [
        { name: 'All', look: 1, values: moments.map(({ requests }) => requests) },
        { name: 'Hits', look: 5, values: moments.map(({ hits }) => hits) },
        { name: 'Misses', look: 3, values: moments.map(({ misses }) => misses) },
        { name: 'Errors', look: 4, values: moments.map(({ errors }) => errors) },
      ] as const,
    [moments],
  )
  const ratio = useMemo(
    () => [{ name: 'Hit ratio', look: 5, values: moments.map(({ hitPercent }) => hitPercent) }] as const,
    [moments],
  )
  return (
    <div className="edge-charts">
      <Chart title="Requests" unit="per second" atMs={atMs} lines={rates} format={formatRate} />
      <Chart
        title="Hit ratio"
        unit="per cent of what a cache may answer"
        atMs={atMs}
        lines={ratio}
        format={formatPercent}
        top={100}
      />
    </div>
  )
}
