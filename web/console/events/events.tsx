import { type ReactElement, useState } from 'react'
import { formatTime, plural } from '../../common/format.ts'
import { Link, useLocation, useNavigation } from '../../common/history.tsx'
import { Icon } from '../../common/icons.tsx'
import { journeyPath } from '../hub/address.ts'
import { HubHead } from '../hub/tabs.tsx'
import { EVENTS_KEPT_MAX, type SeenEvent } from '../live/state.ts'
import { eventsPath, parseEventsView, titlePath } from '../route.ts'
import { useLive } from '../shell/context.tsx'
import { CopyButton, Empty } from '../shell/parts.tsx'
import { countNewer, selectEvents, shortType, summarize } from './tail.ts'

export function EventsPage(): ReactElement {
  const live = useLive()
  const navigation = useNavigation()
  const type = parseEventsView(useLocation())
  const [frozen, setFrozen] = useState<readonly SeenEvent[] | null>(null)
  const shown = selectEvents(frozen ?? live.events, type)
  const types = [
    ...new Set([...live.events.map(({ event }) => event.type as string), ...(type === null ? [] : [type])]),
  ]
  return (
    <>
      <HubHead page="events">
        <button
          type="button"
          className="button"
          aria-pressed={frozen !== null}
          data-testid="pause"
          onClick={() => setFrozen(frozen === null ? live.events : null)}
        >
          <Icon name={frozen === null ? 'pause' : 'play'} size={18} />
          {frozen === null ? 'Pause' : 'Go on'}
        </button>
      </HubHead>
      <div className="filters">
        <label className="field">
          <span className="hidden-text">Type</span>
          <select
            value={type ?? ''}
            data-testid="filter-type"
            onChange={(event) => navigation.go(eventsPath(event.currentTarget.value || null), { replace: true })}
          >
            <option value="">All types</option>
            {types.sort().map((name) => (
              <option key={name} value={name}>
                {shortType(name)}
              </option>
            ))}
          </select>
        </label>
        <p className="filters-count" role="status">
          {frozen === null
            ? `${plural(shown.length, 'event')}, the newest ${EVENTS_KEPT_MAX} are kept`
            : `Paused. ${plural(countNewer(live.events, frozen), 'newer event')} held back.`}
        </p>
      </div>
      {shown.length === 0 ? (
        <Empty heading="Quiet so far" data-testid="events-empty">
          Events show here as they happen, from the moment this page opened. Press play on a film, or upload one.
        </Empty>
      ) : (
        <ol className="panel tail" data-testid="tail">
          {shown.map((seen) => (
            <EventRow key={seen.event.id} seen={seen} />
          ))}
        </ol>
      )}
    </>
  )
}

function EventRow({ seen: { event, seenAtMs } }: { seen: SeenEvent }): ReactElement {
  const [open, setOpen] = useState(false)
  const data = event.data as Readonly<Record<string, unknown>>
  const titleId = typeof data['titleId'] === 'string' ? data['titleId'] : null
  return (
    <li data-testid="event" data-type={event.type}>
      <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
        <summary>
          <time dateTime={event.time}>{formatTime(seenAtMs)}</time>
          <span className="tail-type">{shortType(event.type)}</span>
          <span className="tail-subject">{event.subject}</span>
          <span className="tail-summary">{summarize(event)}</span>
        </summary>
        {open ? (
          <div className="tail-detail">
            <div className="tail-actions">
              {titleId === null ? null : (
                <Link className="text-link" href={titlePath(titleId)}>
                  Open the title
                </Link>
              )}
              <Link className="text-link" href={journeyPath(event.id)}>
                Its journey
              </Link>
              <CopyButton text={JSON.stringify(event, null, 2)} name="the event" />
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
          </div>
        ) : null}
      </details>
    </li>
  )
}
