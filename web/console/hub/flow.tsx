import type { ReactElement, ReactNode } from 'react'
import type { HubOverview } from '../../../src/contracts/index.ts'
import { formatCount, plural } from '../../common/format.ts'
import { Link, useLocation, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { useConsole } from '../shell/context.tsx'
import { Empty } from '../shell/parts.tsx'
import { usePolled } from '../shell/use-polled.ts'
import { type FlowView, flowPath, lettersPath, parseFlowView } from './address.ts'
import { OldBanner } from './old-banner.tsx'
import { SubscriptionsTable } from './subscriptions-table.tsx'
import { Pipes, Producers, Topics } from './tables.tsx'
import { HubHead } from './tabs.tsx'
import { formatRate, sumFlow } from './view.ts'

const PERIOD_MS = 5_000

/** Who publishes, what pipes make of it, who is delivered to and how that goes. */
export function FlowPage(): ReactElement {
  const { api } = useConsole()
  const polled = usePolled(api.hub, PERIOD_MS)
  const { value, problem, again } = polled
  return (
    <>
      <HubHead page="flow" />
      <OldBanner polled={polled} />
      {value !== null ? (
        <FlowBody overview={value} onChange={again} />
      ) : problem !== null ? (
        <Empty heading="The hub's figures cannot be had">{problem.detail} It is asked again by itself.</Empty>
      ) : (
        <div className="figures" aria-busy="true">
          <span className="hidden-text">Loading</span>
          {[0, 1, 2, 3].map((index) => (
            <div key={index} className="skeleton hub-waiting" />
          ))}
        </div>
      )}
    </>
  )
}

function FlowBody({ overview, onChange }: { overview: HubOverview; onChange: () => void }): ReactElement {
  const view = parseFlowView(useLocation())
  return (
    <>
      <Figures overview={overview} />
      <Section id="subscriptions" name="Subscriptions">
        {overview.subscriptions.length === 0 ? (
          <Empty heading="Nobody is subscribed" data-testid="subscriptions-empty">
            Make one: npx tentpole subscriptions add NAME --pattern JSON --webhook URL. Modules and spokes bring their
            own.
          </Empty>
        ) : (
          <>
            <Filter view={view} count={overview.subscriptions.length} />
            <SubscriptionsTable all={overview.subscriptions} view={view} onChange={onChange} />
          </>
        )}
      </Section>
      <Section id="pipes" name="Pipes">
        <Pipes pipes={overview.pipes} />
      </Section>
      <div className="hub-pair">
        <Section id="producers" name="Producers">
          <Producers producers={overview.producers} />
        </Section>
        <Section id="topics" name="Topics">
          <Topics topics={overview.topics} />
        </Section>
      </div>
    </>
  )
}

function Section({ id, name, children }: { id: string; name: string; children: ReactNode }): ReactElement {
  return (
    <section aria-labelledby={`hub-${id}`} className="hub-section">
      <h2 id={`hub-${id}`}>{name}</h2>
      {children}
    </section>
  )
}

/** Only where there is something to narrow. */
function Filter({ view, count }: { view: FlowView; count: number }): ReactElement | null {
  const navigation = useNavigation()
  if (count < 2 && view.text === '') return null
  return (
    <search className="filters">
      <label className="field field-search">
        <span className="field-icon">
          <Icon name="search" size={18} />
        </span>
        <span className="hidden-text">Filter subscriptions</span>
        <input
          type="search"
          placeholder="Filter by name, owner, target or pattern"
          value={view.text}
          data-testid="hub-filter"
          onChange={(event) => navigation.go(flowPath({ ...view, text: event.currentTarget.value }), { replace: true })}
        />
      </label>
      <p className="filters-count" role="status">
        {plural(count, 'subscription')}
      </p>
    </search>
  )
}

function Figures({ overview }: { overview: HubOverview }): ReactElement {
  const sums = sumFlow(overview)
  const { producers, subscriptions } = overview
  const failing = sums.failedPerSecond > 0 ? `, ${formatRate(sums.failedPerSecond)}/s fail` : ''
  return (
    <div className="figures">
      <Figure
        name="Published"
        value={formatRate(sums.publishedPerSecond)}
        note={`per second, by ${plural(producers.length, 'producer')}`}
      />
      <Figure
        name="Delivered"
        value={formatRate(sums.deliveredPerSecond)}
        note={`per second, to ${plural(subscriptions.length, 'subscription')}${failing}`}
      />
      <Figure
        name="Behind"
        value={formatCount(sums.lagRecords)}
        note={sums.unwell === 0 ? 'records, nobody is in trouble' : `records, ${formatCount(sums.unwell)} need a look`}
      />
      <div className="panel figure" data-testid="hub-dead">
        <h2>
          <Link className="figure-link" href={lettersPath()}>
            Dead letters
          </Link>
        </h2>
        <p className="figure-value hub-value">{formatCount(sums.deadLetters)}</p>
        <p className="figure-note">deliveries given up, {formatCount(sums.parked)} parked</p>
      </div>
    </div>
  )
}

function Figure({ name, value, note }: { name: string; value: string; note: string }): ReactElement {
  return (
    <div className="panel figure" data-testid={`hub-${name.toLowerCase()}`}>
      <h2>{name}</h2>
      <p className="figure-value hub-value">{value}</p>
      <p className="figure-note">{note}</p>
    </div>
  )
}
