import type { ReactElement, ReactNode } from 'react'
import type { PlatformStatus, RoleStatus, StaffTitle } from '../../../src/contracts/index.ts'
import { formatCount, formatSpan, plural } from '../../common/format.ts'
import { Link } from '../../common/history.tsx'
import { eventRate, type LiveState, rateBars } from '../live/state.ts'
import { eventsPath, STATES, titlePath, titlesPath } from '../route.ts'
import { useLive, useNow } from '../shell/context.tsx'
import { Bar, Empty, PageHead } from '../shell/parts.tsx'
import { ROLE_TONES, StateMark, TITLE_TONES } from '../shell/state-mark.tsx'
import { UploadButton } from '../uploads/upload-button.tsx'
import { decideVerdict } from './verdict.ts'

export function OverviewPage(): ReactElement {
  const live = useLive()
  const nowMs = useNow()
  return (
    <>
      <PageHead title="Overview">
        <UploadButton />
      </PageHead>
      <VerdictPanel live={live} nowMs={nowMs} />
      <Figures live={live} nowMs={nowMs} />
      <section aria-labelledby="roles-heading">
        <h2 id="roles-heading">Roles and cells</h2>
        <Roles status={live.status} nowMs={nowMs} />
      </section>
      <section aria-labelledby="work-heading">
        <h2 id="work-heading">In work</h2>
        <InWork titles={live.titles} />
      </section>
    </>
  )
}

function VerdictPanel({ live, nowMs }: { live: LiveState; nowMs: number }): ReactElement {
  const { tone, headline, sentence } = decideVerdict(live.status, live.connection)
  const up = live.status === null ? null : formatSpan(nowMs - live.status.startedAtMs)
  return (
    <section className={`verdict verdict-${tone}`} aria-label="Is tonight fine?" data-testid="verdict" data-tone={tone}>
      <StateMark tone={tone}>{headline}</StateMark>
      <p>
        {sentence}
        {up === null || tone !== 'good' ? '' : ` Up for ${up}.`}
      </p>
      {live.status === null ? null : <p className="verdict-version">Tentpole {live.status.version}</p>}
    </section>
  )
}

function Figures({ live, nowMs }: { live: LiveState; nowMs: number }): ReactElement {
  const rate = eventRate(live.perSecond, nowMs)
  const counts = countStates(live.titles)
  return (
    <div className="figures">
      <Figure name="Plays" note="begun since this page opened" value={formatCount(live.plays)} />
      <Figure name="Events" note="per second, last 10 s" value={rate.toFixed(1)} to={eventsPath(null)}>
        <Bars values={rateBars(live.perSecond, nowMs)} />
      </Figure>
      <div className="panel figure figure-titles">
        <h2>Titles</h2>
        <ul className="counts">
          {STATES.map((state) => (
            <li key={state}>
              <Link href={titlesPath({ state })}>
                <StateMark tone={TITLE_TONES[state]}>{state}</StateMark>
                <b>{live.titles === null ? '–' : formatCount(counts.get(state) ?? 0)}</b>
              </Link>
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}

function countStates(titles: LiveState['titles']): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { state } of titles?.values() ?? []) counts.set(state, (counts.get(state) ?? 0) + 1)
  return counts
}

type FigureProps = { name: string; note: string; value: string; to?: string; children?: ReactNode }

function Figure({ name, note, value, to, children }: FigureProps): ReactElement {
  return (
    <div className="panel figure">
      <h2>
        {to === undefined ? (
          name
        ) : (
          <Link className="figure-link" href={to}>
            {name}
          </Link>
        )}
      </h2>
      <p className="figure-value">{value}</p>
      {children}
      <p className="figure-note">{note}</p>
    </div>
  )
}

/** The last minute, a bar a second. The figure above it says the same in words. */
function Bars({ values }: { values: readonly number[] }): ReactElement {
  const top = Math.max(1, ...values)
  const path = values.map((value, index) => {
    const height = value === 0 ? 1 : 2 + (value / top) * 30
    return `M${index * 4} 32v${-height}h3v${height}z`
  })
  return (
    <svg className="bars" viewBox={`0 0 ${values.length * 4} 32`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path.join('')} />
    </svg>
  )
}

function Roles({ status, nowMs }: { status: PlatformStatus | null; nowMs: number }): ReactElement {
  if (status === null) {
    return (
      <div className="tiles" aria-busy="true">
        {[0, 1, 2, 3].map((index) => (
          <div key={index} className="tile skeleton" />
        ))}
      </div>
    )
  }
  return (
    <ul className="tiles">
      {status.roles.map((role) => (
        <li key={role.name}>
          <RoleTile role={role} nowMs={nowMs} />
        </li>
      ))}
    </ul>
  )
}

function RoleTile({ role, nowMs }: { role: RoleStatus; nowMs: number }): ReactElement {
  const tone = ROLE_TONES[role.state]
  return (
    <div className={`tile tile-${tone}`} data-testid="role" data-role={role.name} data-state={role.state}>
      <div className="tile-head">
        <h3>{role.name}</h3>
        <StateMark tone={tone}>{role.state}</StateMark>
      </div>
      <dl>
        <div>
          <dt>pid</dt>
          <dd>{role.pid ?? '–'}</dd>
        </div>
        <div>
          <dt>restarts</dt>
          <dd>{formatCount(role.restarts)}</dd>
        </div>
        <div>
          <dt>for</dt>
          <dd>{formatSpan(nowMs - role.sinceMs) ?? 'just now'}</dd>
        </div>
      </dl>
      {role.detail === null ? null : <p className="tile-detail">{role.detail}</p>}
    </div>
  )
}

function InWork({ titles }: { titles: LiveState['titles'] }): ReactElement {
  const working = [...(titles?.values() ?? [])].filter(({ state }) => state === 'processing' || state === 'playable')
  if (titles === null) return <div className="skeleton empty" aria-busy="true" />
  if (working.length === 0) {
    return (
      <Empty heading="Nothing is being made">
        Drop a film anywhere on this page, and it shows here until it is published.
      </Empty>
    )
  }
  return (
    <ul className="panel work">
      {working.map((title) => (
        <WorkRow key={title.id} title={title} />
      ))}
    </ul>
  )
}

function WorkRow({ title }: { title: StaffTitle }): ReactElement {
  const open = title.stages
    .filter(({ done, total }) => done < total)
    .map(({ name, done, total }) => `${name} ${done}/${total}`)
  return (
    <li>
      <Link className="work-name" href={titlePath(title.id)}>
        {title.name}
      </Link>
      <StateMark tone={TITLE_TONES[title.state]}>{title.state}</StateMark>
      <span className="work-stage">{open.join(', ') || plural(title.stages.length, 'stage')}</span>
      <Bar percent={title.percent} label={`${title.name}: ${Math.floor(title.percent)}%`} />
      <b className="work-percent">{Math.floor(title.percent)}%</b>
    </li>
  )
}
