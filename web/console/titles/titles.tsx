import type { ReactElement } from 'react'
import type { StaffTitle } from '../../../src/contracts/index.ts'
import { formatAgo, formatLength, plural } from '../../common/format.ts'
import { Link, useLocation, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { type Column, parseTitlesView, STATES, type TitlesView, titlePath, titlesPath } from '../route.ts'
import { useLive, useNow } from '../shell/context.tsx'
import { Bar, CopyButton, Empty, PageHead, RowsSkeleton } from '../shell/parts.tsx'
import { StateMark, TITLE_TONES } from '../shell/state-mark.tsx'
import { UploadButton } from '../uploads/upload-button.tsx'
import { describeStage, selectTitles } from './select.ts'

export function TitlesPage(): ReactElement {
  const { titles } = useLive()
  const view = parseTitlesView(useLocation())
  const rows = titles === null ? null : selectTitles(titles.values(), view)
  return (
    <>
      <PageHead title="Titles">
        <UploadButton />
      </PageHead>
      <Filters view={view} shown={rows?.length ?? null} all={titles?.size ?? null} />
      {rows === null ? <RowsSkeleton rows={6} /> : null}
      {rows !== null && titles?.size === 0 ? (
        <Empty heading="No titles yet" data-testid="titles-empty">
          Drop a film anywhere on this page. It can be watched a few seconds after its upload ends.
        </Empty>
      ) : null}
      {rows?.length === 0 && titles !== null && titles.size > 0 ? (
        <Empty heading="Nothing matches">
          {plural(titles.size, 'title')} {titles.size === 1 ? 'is' : 'are'} hidden by the filter.{' '}
          <Link className="text-link" href={titlesPath({ sort: view.sort, descending: view.descending })}>
            Show all
          </Link>
        </Empty>
      ) : null}
      {rows !== null && rows.length > 0 ? <TitlesTable rows={rows} view={view} /> : null}
    </>
  )
}

function Filters({ view, shown, all }: { view: TitlesView; shown: number | null; all: number | null }): ReactElement {
  const navigation = useNavigation()
  const change = (fields: Partial<TitlesView>): void =>
    navigation.go(titlesPath({ ...view, ...fields }), { replace: true })
  return (
    <search className="filters">
      <label className="field field-search">
        <span className="field-icon">
          <Icon name="search" size={18} />
        </span>
        <span className="hidden-text">Filter titles</span>
        <input
          type="search"
          placeholder="Filter by name, id, file or reason"
          value={view.text}
          data-testid="filter"
          onChange={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <label className="field">
        <span className="hidden-text">State</span>
        <select
          value={view.state ?? ''}
          data-testid="filter-state"
          onChange={(event) => change({ state: STATES.find((state) => state === event.currentTarget.value) ?? null })}
        >
          <option value="">All states</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {state}
            </option>
          ))}
        </select>
      </label>
      <p className="filters-count" role="status">
        {shown === null || all === null
          ? ''
          : shown === all
            ? plural(all, 'title')
            : `${shown} of ${plural(all, 'title')}`}
      </p>
    </search>
  )
}

function TitlesTable({ rows, view }: { rows: readonly StaffTitle[]; view: TitlesView }): ReactElement {
  const nowMs = useNow()
  return (
    <div className="table-window panel">
      <table>
        <thead>
          <tr>
            <SortHead column="name" view={view}>
              Name
            </SortHead>
            <SortHead column="state" view={view}>
              State
            </SortHead>
            <SortHead column="percent" view={view}>
              Progress
            </SortHead>
            <SortHead column="durationMs" view={view} numeric>
              Length
            </SortHead>
            <SortHead column="updatedAtMs" view={view} numeric>
              Changed
            </SortHead>
            <th scope="col">Id</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((title) => (
            <TitleRow key={title.id} title={title} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function TitleRow({ title, nowMs }: { title: StaffTitle; nowMs: number }): ReactElement {
  const stage = describeStage(title)
  const moving = title.state === 'processing' || title.state === 'playable'
  return (
    <tr data-testid="title-row" data-id={title.id} data-state={title.state}>
      <th scope="row">
        <Link className="row-link" href={titlePath(title.id)}>
          {title.name}
        </Link>
        <span className="row-file">{title.fileName ?? 'no film yet'}</span>
      </th>
      <td>
        <StateMark tone={TITLE_TONES[title.state]}>{title.state}</StateMark>
      </td>
      <td className="cell-progress">
        {moving ? <Bar percent={title.percent} label={`${title.name}: ${Math.floor(title.percent)}%`} /> : null}
        {stage === '' ? null : <span className={title.state === 'failed' ? 'row-reason' : 'row-stage'}>{stage}</span>}
      </td>
      <td className="cell-number">{title.durationMs === null ? '–' : formatLength(title.durationMs)}</td>
      <td className="cell-number">{formatAgo(title.updatedAtMs, nowMs)}</td>
      <td className="cell-id">
        <code>{title.id}</code>
        <CopyButton text={title.id} name={`the id of ${title.name}`} />
      </td>
    </tr>
  )
}

type SortHeadProps = { column: Column; view: TitlesView; numeric?: boolean; children: string }

function SortHead({ column, view, numeric = false, children }: SortHeadProps): ReactElement {
  const navigation = useNavigation()
  const sorted = view.sort === column
  const descending = sorted ? !view.descending : column !== 'name' && column !== 'state'
  return (
    <th
      scope="col"
      className={numeric ? 'cell-number' : undefined}
      aria-sort={sorted ? (view.descending ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className="sort"
        onClick={() => navigation.go(titlesPath({ ...view, sort: column, descending }), { replace: true })}
      >
        {children}
        <span className={sorted ? 'sort-mark' : 'sort-mark sort-idle'}>
          <Icon name={sorted && !view.descending ? 'up' : 'down'} size={14} />
        </span>
      </button>
    </th>
  )
}
