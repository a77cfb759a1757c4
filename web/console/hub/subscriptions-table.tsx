import { type ReactElement, useState } from 'react'
import type { SubscriptionView } from '../../../src/contracts/index.ts'
import { formatCount } from '../../common/format.ts'
import { Link, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { useConsole } from '../shell/context.tsx'
import { Empty } from '../shell/parts.tsx'
import { StateMark } from '../shell/state-mark.tsx'
import { type FlowView, flowPath, lettersPath, type SubscriptionColumn } from './address.ts'
import { formatLatency, formatRate, selectSubscriptions, toneOf, toVisible, wordOf } from './view.ts'

type TableProps = {
  readonly all: readonly SubscriptionView[]
  readonly view: FlowView
  /** Something was done: ask for the newest figures. */
  readonly onChange: () => void
}

const HEADS: readonly { readonly column: SubscriptionColumn; readonly name: string }[] = [
  { column: 'name', name: 'Subscription' },
  { column: 'state', name: 'State' },
  { column: 'lag', name: 'Behind' },
  { column: 'parked', name: 'Parked' },
  { column: 'rate', name: 'Per second' },
  { column: 'p99', name: 'p50 / p99' },
  { column: 'failed', name: 'Failed' },
]

/** Sorted and filtered as the address says; what needs somebody first. */
export function SubscriptionsTable({ all, view, onChange }: TableProps): ReactElement {
  const { rows, more } = selectSubscriptions(all, view)
  if (rows.length === 0)
    return (
      <Empty heading="Nothing matches">
        All {formatCount(all.length)} are hidden by the filter.{' '}
        <Link className="text-link" href={flowPath({ ...view, text: '' })}>
          Show all
        </Link>
      </Empty>
    )
  return (
    <>
      <div className="table-window panel">
        <table className="hub-table hub-subscriptions" data-testid="subscriptions">
          <thead>
            <tr>
              {HEADS.map((head) => (
                <SortHead key={head.column} {...head} view={view} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((subscription) => (
              <Row key={subscription.name} subscription={subscription} onChange={onChange} />
            ))}
          </tbody>
        </table>
      </div>
      {more === 0 ? null : (
        <p className="hub-note">
          The first {formatCount(rows.length)} of {formatCount(rows.length + more)}; filter to see others.
        </p>
      )}
    </>
  )
}

function Row({ subscription, onChange }: { subscription: SubscriptionView; onChange: () => void }): ReactElement {
  const { name, owner, target, pattern, detail, lastError, state } = subscription
  const why = detail ?? lastError
  return (
    <tr data-testid="subscription" data-name={name} data-state={state}>
      <th scope="row">
        <span className="row-name">
          {name}
          {owner === null ? null : <span className="hub-owner"> of {owner}</span>}
        </span>
        <span className="row-file" title={target}>
          {toVisible(target)}
        </span>
        <details className="hub-pattern">
          <summary>
            <code>{toVisible(JSON.stringify(pattern))}</code>
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>{toVisible(JSON.stringify(pattern, null, 2))}</pre>
        </details>
      </th>
      <td className="hub-state">
        <StateMark tone={toneOf(subscription)}>{wordOf(subscription)}</StateMark>
        {state === 'disabled' ? <EnableButton name={name} onDone={onChange} /> : null}
        {why === null ? null : <span className={state === 'waiting' ? 'hub-why' : 'row-reason'}>{toVisible(why)}</span>}
      </td>
      <Figures subscription={subscription} />
    </tr>
  )
}

function Figures({ subscription }: { subscription: SubscriptionView }): ReactElement {
  const { name, lagRecords, parked, parkedKeys, deadLetters, failed } = subscription
  const { deliveredPerSecond, latencyP50Ms, latencyP99Ms } = subscription
  return (
    <>
      <td className="cell-number" data-label="Behind">
        {formatCount(lagRecords)}
      </td>
      <td className="cell-number" data-label="Parked">
        {formatCount(parked)}
        {parkedKeys === 0 ? null : <small>{formatCount(parkedKeys)} keys</small>}
      </td>
      <td className="cell-number" data-label="Per second">
        {formatRate(deliveredPerSecond)}
      </td>
      <td className="cell-number" data-label="p50 / p99">
        {formatLatency(latencyP50Ms)}
        <small>{formatLatency(latencyP99Ms)}</small>
      </td>
      <td className="cell-number" data-label="Failed">
        {formatCount(failed)}
        {deadLetters === 0 ? null : (
          <small>
            <Link className="text-link" href={lettersPath({ kind: 'delivery', name })}>
              {formatCount(deadLetters)} dead
            </Link>
          </small>
        )}
      </td>
    </>
  )
}

/** Lets a subscription that was disabled go on where it stopped. */
function EnableButton({ name, onDone }: { name: string; onDone: () => void }): ReactElement {
  const { api } = useConsole()
  const [state, setState] = useState<{ sending: boolean; problem: string | null }>({ sending: false, problem: null })
  const enable = async (): Promise<void> => {
    setState({ sending: true, problem: null })
    const answer = await api.enableSubscription(name)
    setState({ sending: false, problem: answer.ok ? null : answer.problem.detail })
    if (answer.ok) onDone()
  }
  return (
    <span className="hub-enable">
      <button type="button" className="text-button" disabled={state.sending} onClick={() => void enable()}>
        Enable <span className="hidden-text">{name}</span>
      </button>
      {state.problem === null ? null : (
        <span className="form-problem" role="alert">
          {state.problem}
        </span>
      )}
    </span>
  )
}

type HeadProps = { readonly column: SubscriptionColumn; readonly name: string; readonly view: FlowView }

/** Figures highest first, names from A, and the other way round at the next press. */
function SortHead({ column, name, view }: HeadProps): ReactElement {
  const navigation = useNavigation()
  const isSorted = view.sort === column
  const descending = isSorted ? !view.descending : column !== 'name'
  const isText = column === 'name' || column === 'state'
  return (
    <th
      scope="col"
      className={isText ? `hub-col-${column}` : 'cell-number'}
      aria-sort={isSorted ? (view.descending ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className="sort"
        onClick={() => navigation.go(flowPath({ ...view, sort: column, descending }), { replace: true })}
      >
        {name}
        <span className={isSorted ? 'sort-mark' : 'sort-mark sort-idle'}>
          <Icon name={isSorted && !view.descending ? 'up' : 'down'} size={14} />
        </span>
      </button>
    </th>
  )
}
